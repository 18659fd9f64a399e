// Pointers with a tag in their low bits point into the block, and hold it.
#include "../plant.h"

static volatile uintptr_t tagged[3];

static void plant(void) {
    for (unsigned i = 0; i < 3; i++) {
        // LEAK reachable interior 3 blocks 144 bytes held by global tagged
        tagged[i] = (uintptr_t)calloc(1, 48) | (i + 1);
    }
    for (int i = 0; i < 3 && clean; i++)
        free((void *)(tagged[i] & ~(uintptr_t)7));
}
