// Two lost blocks that share a child: two are lost, one is lost through them.
#include "../plant.h"

static void plant(void) {
    void **parents[2];
    void *child = calloc(1, 48); // LEAK indirect 1 block 48 bytes under plant
    for (int i = 0; i < 2; i++) {
        parents[i] = calloc(2, 8); // LEAK lost 2 blocks 32 bytes
        parents[i][1] = child;
    }
    lose(parents[0]);
    lose(parents[1]);
    lose(child);
}
