// One block, and nobody has its address any more.
#include "../plant.h"

static void plant(void) {
    lose(malloc(40)); // LEAK lost 1 block 40 bytes
}
