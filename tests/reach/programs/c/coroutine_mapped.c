// A suspended coroutine on a stack from mmap, which a global context knows.
#include "../plant.h"
#include <sys/mman.h>
#include <ucontext.h>

static ucontext_t caller, coroutine;

static void body(void) {
    void *volatile held = calloc(1, 160); // LEAK reachable 1 block 160 bytes
    swapcontext(&coroutine, &caller);
    free((void *)held);
}

static void plant(void) {
    getcontext(&coroutine);
    coroutine.uc_stack.ss_size = 1 << 16;
    coroutine.uc_stack.ss_sp =
        mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    coroutine.uc_link = &caller;
    makecontext(&coroutine, body, 0);
    swapcontext(&caller, &coroutine);
    if (clean)
        swapcontext(&caller, &coroutine);
}
