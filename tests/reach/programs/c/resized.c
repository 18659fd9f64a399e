// A block counts with its last size, at the line that gave it that size.
#include "../plant.h"

static void plant(void) {
    char *block = seen(malloc(10));
    block = seen(realloc(block, 200));
    lose(realloc(block, 50000)); // LEAK lost 1 block 50000 bytes
    block = seen(malloc(3000));
    lose(realloc(block, 30)); // LEAK lost 1 block 30 bytes
    lose(reallocarray(NULL, 9, 70)); // LEAK lost 1 block 630 bytes
}
