// A suspended coroutine on a stack from malloc, which a global context knows.
#include "../plant.h"
#include <ucontext.h>

static ucontext_t caller, coroutine;

static void body(void) {
    void *volatile held = calloc(1, 150); // LEAK reachable 1 block 150 bytes
    swapcontext(&coroutine, &caller);
    free((void *)held);
}

static void plant(void) {
    getcontext(&coroutine);
    coroutine.uc_stack.ss_size = 1 << 16;
    // LEAK reachable 1 block 65536 bytes held by global
    coroutine.uc_stack.ss_sp = calloc(1, 1 << 16);
    coroutine.uc_link = &caller;
    makecontext(&coroutine, body, 0);
    swapcontext(&caller, &coroutine);
    if (clean) {
        swapcontext(&caller, &coroutine);
        free(coroutine.uc_stack.ss_sp);
    }
}
