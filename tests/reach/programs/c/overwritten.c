// A global that is overwritten: the old block is lost, the new one is not.
#include "../plant.h"

static void *volatile current;

static void plant(void) {
    current = seen(calloc(1, 70)); // LEAK lost 1 block 70 bytes
    if (clean)
        free(current);
    current = seen(calloc(1, 80)); // LEAK reachable 1 block 80 bytes held by global current
    if (clean)
        free(current);
}
