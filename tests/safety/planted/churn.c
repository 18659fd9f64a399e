// Frees and allocates blocks in turn, of many sizes: nothing but what an allocator costs.
//
//     churn COUNT

#include <stdlib.h>

int main(int argc, char **argv) {
    static char *blocks[4096];
    long count = argc > 1 ? strtol(argv[1], NULL, 10) : 0;
    unsigned state = 1;
    for (long i = 0; i < count; i++) {
        state = state * 1664525u + 1013904223u;
        unsigned place = state >> 20, size = 16 + (state >> 7 & 511);
        free(blocks[place]);
        blocks[place] = malloc(size);
        blocks[place][0] = blocks[place][size - 1] = 1;
    }
    return 0;
}
