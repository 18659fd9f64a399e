// A pointer one past the end of a block does not hold it; the last byte does.
#include "../plant.h"

static char *past;
static char *last;

static void plant(void) {
    past = (char *)calloc(1, 40) + 40; // LEAK lost 1 block 40 bytes
    // LEAK reachable interior 1 block 72 bytes held by global last
    last = (char *)calloc(1, 72) + 71;
    if (clean) {
        free(past - 40);
        free(last - 71);
        past = NULL;
    }
    seen(&past);
    seen(&last);
}
