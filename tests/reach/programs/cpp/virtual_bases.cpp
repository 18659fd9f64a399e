// A virtual base lies at the end of the object.
#include "../plant.h"

struct base {
    virtual ~base() = default;
    long zero = 0;
};
struct left : virtual base {
    long one = 1;
};
struct right : virtual base {
    long two = 2;
};
struct diamond : left, right {};

static base *volatile kept;

static void plant() {
    kept = new diamond; // LEAK reachable interior 1 block 48 bytes held by global kept
    diamond *lost = new diamond; // LEAK lost 1 block 48 bytes
    seen(lost);
    if (clean) {
        delete kept;
        delete lost;
    }
}
