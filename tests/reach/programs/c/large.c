// Blocks that get memory of their own, and a small one that only the last page of one holds.
#include "../plant.h"

static char *volatile kept;

static void plant(void) {
    lose(malloc(300000)); // LEAK lost 1 block 300000 bytes
    lose(calloc(1, 5000000)); // LEAK lost 1 block 5000000 bytes
    kept = calloc(1, 64 << 20); // LEAK reachable 1 block 67108864 bytes held by global kept
    void *small = calloc(1, 32); // LEAK reachable 1 block 32 bytes held by global kept
    memcpy(kept + (64 << 20) - 8, &small, 8);
    if (clean) {
        free(small);
        free(kept);
    }
}
