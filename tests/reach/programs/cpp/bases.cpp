// A pointer to the second base points into the object.
#include "../plant.h"

struct first {
    virtual ~first() = default;
    long one = 1;
};
struct second {
    virtual ~second() = default;
    long two = 2;
};
struct both : first, second {
    long three = 3;
};

static second *volatile kept;
static first *volatile exact;

static void plant() {
    kept = new both; // LEAK reachable interior 1 block 40 bytes held by global kept
    exact = new both; // LEAK reachable 1 block 40 bytes held by global exact
    if (clean) {
        delete kept;
        delete exact;
    }
}
