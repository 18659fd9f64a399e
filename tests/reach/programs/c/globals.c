// Pointers in initialised, zeroed and function-local static memory.
#include "../plant.h"

static long marker = 7;
static void *zeroed;
static struct {
    long *first;
    void *second;
} initialised = {&marker, NULL};

static NOINLINE void in_a_function(void) {
    static void *hidden;
    hidden = calloc(1, 30); // LEAK reachable 1 block 30 bytes held by global hidden
    seen(&hidden);
    if (clean)
        free(hidden);
}

static void plant(void) {
    zeroed = calloc(1, 10); // LEAK reachable 1 block 10 bytes held by global zeroed
    // LEAK reachable 1 block 20 bytes held by global initialised
    initialised.second = calloc(1, 20);
    in_a_function();
    seen(&zeroed);
    seen(&initialised);
    if (clean) {
        free(zeroed);
        free(initialised.second);
    }
}
