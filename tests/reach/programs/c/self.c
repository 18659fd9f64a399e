// A block that only its own words point to is lost; one alone makes no cycle.
#include "../plant.h"

static void plant(void) {
    void **block = malloc(56); // LEAK lost 1 block 56 bytes
    for (int i = 0; i < 7; i++)
        block[i] = &block[i];
    lose(block);
}
