// Aligned blocks, of every function that makes them.
#include "../plant.h"
#include <malloc.h>

static void *volatile kept;

static void plant(void) {
    void *block = NULL;
    lose(aligned_alloc(64, 640)); // LEAK lost 1 block 640 bytes
    lose(memalign(4096, 100)); // LEAK lost 1 block 100 bytes
    lose(valloc(5000)); // LEAK lost 1 block 5000 bytes
    if (posix_memalign(&block, 256, 1000) == 0) // LEAK lost 1 block 1000 bytes
        lose(block);
    kept = memalign(1 << 16, 48); // LEAK reachable 1 block 48 bytes held by global kept
    if (clean)
        free((void *)kept);
}
