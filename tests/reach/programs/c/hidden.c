// A pointer that is kept in disguise is no pointer: the block is lost to any collector.
#include "../plant.h"

static volatile uintptr_t disguised;

static void plant(void) {
    disguised = (uintptr_t)calloc(1, 194) ^ 0x5a5a5a5a5a5a5a5a; // LEAK lost 1 block 194 bytes
    if (clean)
        free((void *)(disguised ^ 0x5a5a5a5a5a5a5a5a));
    seen(&disguised);
}
