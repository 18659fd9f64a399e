// A ring of three of different sizes, one of which holds a block that holds nobody.
#include "../plant.h"

static void plant(void) {
    void **one = calloc(1, 32);  // LEAK cycle 1 block 32 bytes
    void **two = calloc(1, 64);  // LEAK cycle 1 block 64 bytes
    void **three = calloc(1, 96); // LEAK cycle 1 block 96 bytes
    void *leaf = calloc(1, 128); // LEAK indirect 1 block 128 bytes
    one[0] = two;
    two[3] = three;
    three[5] = one;
    three[6] = leaf;
    lose(one);
    lose(two);
    lose(three);
    lose(leaf);
}
