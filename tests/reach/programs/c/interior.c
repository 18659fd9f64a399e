// Pointers into the middle: behind a header, in a large block, and through one of these.
#include "../plant.h"

static char *volatile behind_header;
static char *volatile in_the_middle;

static void plant(void) {
    // LEAK reachable interior 1 block 100 bytes held by global behind_header
    behind_header = (char *)calloc(1, 100) + 16;
    // LEAK reachable interior 1 block 1048576 bytes held by global in_the_middle
    in_the_middle = (char *)calloc(1, 1 << 20) + 700001;
    // LEAK reachable interior 1 block 50 bytes held by global in_the_middle
    *(void **)(in_the_middle - 700001) = calloc(1, 50);
    if (clean) {
        free(*(void **)(in_the_middle - 700001));
        free(behind_header - 16);
        free(in_the_middle - 700001);
    }
}
