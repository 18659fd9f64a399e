// A ring that a lost block holds is lost through it: the lost block is where to look.
#include "../plant.h"

static void plant(void) {
    void **owner = calloc(1, 24); // LEAK lost 1 block 24 bytes
    void **one = calloc(1, 40);   // LEAK indirect 1 block 40 bytes under plant
    void **two = calloc(1, 40);   // LEAK indirect 1 block 40 bytes under plant
    owner[2] = one;
    one[0] = two;
    two[0] = one;
    lose(owner);
    lose(one);
    lose(two);
}
