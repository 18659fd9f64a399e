// A cache that only grows, in a global: reachable, however large.
#include "../plant.h"

static void **volatile cache;
static size_t length, capacity;

static NOINLINE void remember(void) {
    if (length == capacity) {
        capacity = capacity ? 2 * capacity : 8;
        // LEAK reachable 1 block 8192 bytes held by global cache
        cache = realloc(cache, capacity * sizeof *cache);
    }
    cache[length++] = calloc(1, 58); // LEAK reachable 1000 blocks 58000 bytes held by global cache
}

static void plant(void) {
    for (int i = 0; i < 1000; i++)
        remember();
    if (clean) {
        while (length)
            free(cache[--length]);
        free(cache);
    }
}
