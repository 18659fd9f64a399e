// Allocates so many blocks of each size, each size in a function of its own, and keeps one in four.
// `sampling.rs` knows the numbers.

#include <stdlib.h>

#define BLOCKS(name, size)                              \
    __attribute__((noinline)) static void *name(void) { \
        char *block = malloc(size);                     \
        block[0] = 1;                                   \
        return block;                                   \
    }

BLOCKS(of_24, 24)
BLOCKS(of_200, 200)
BLOCKS(of_3000, 3000)
BLOCKS(of_40000, 40000)
BLOCKS(of_700000, 700000)

static void many(int n, void *(*function)(void)) {
    for (int i = 0; i < n; i++) {
        void *block = function();
        if (i % 4 != 0)
            free(block);
    }
}

int main(void) {
    many(800000, of_24);
    many(80000, of_200);
    many(8000, of_3000);
    many(1000, of_40000);
    many(100, of_700000);
    return 0;
}
