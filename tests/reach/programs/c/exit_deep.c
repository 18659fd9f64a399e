// exit is called from deep down: the frames that are still open hold their blocks.
#include "../plant.h"

static NOINLINE void descend(int depth) {
    void *volatile held = calloc(1, 52); // LEAK reachable 6 blocks 312 bytes held by stack
    if (depth == 0) {
        scrub();
        if (!clean)
            exit(0);
    } else {
        descend(depth - 1);
    }
    free((void *)held);
    held = NULL;
}

static void plant(void) { descend(5); }
