// The program ends inside a coroutine: its own stack and the suspended main stack both count.
#include "../plant.h"
#include <sys/mman.h>
#include <ucontext.h>

static ucontext_t caller, coroutine;

static NOINLINE void body(void) {
    void *volatile held = calloc(1, 170); // LEAK reachable 1 block 170 bytes
    scrub();
    if (!clean)
        exit(0);
    free((void *)held);
}

static void plant(void) {
    void *volatile below = calloc(1, 171); // LEAK reachable 1 block 171 bytes
    getcontext(&coroutine);
    coroutine.uc_stack.ss_size = 1 << 20;
    coroutine.uc_stack.ss_sp =
        mmap(NULL, 1 << 20, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    coroutine.uc_link = &caller;
    makecontext(&coroutine, body, 0);
    swapcontext(&caller, &coroutine);
    free((void *)below);
}
