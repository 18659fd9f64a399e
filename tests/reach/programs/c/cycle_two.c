// Two blocks that hold each other.
#include "../plant.h"

struct half {
    struct half *other;
    long value;
};

static void plant(void) {
    struct half *one = calloc(1, sizeof *one); // LEAK cycle 1 block 16 bytes
    struct half *two = calloc(1, sizeof *two); // LEAK cycle 1 block 16 bytes
    one->other = two;
    two->other = one;
    lose(one);
    lose(two);
}
