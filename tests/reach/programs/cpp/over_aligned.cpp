// Objects with more alignment than malloc gives.
#include "../plant.h"

struct alignas(128) line {
    char bytes[128];
};

static line *volatile kept;

static void plant() {
    kept = new line; // LEAK reachable 1 block 128 bytes held by global kept
    line *lost = new line[3]; // LEAK lost 1 block 384 bytes
    seen(lost);
    if (clean) {
        delete kept;
        delete[] lost;
    }
}
