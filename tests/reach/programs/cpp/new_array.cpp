// new[] of objects with destructors puts their number first: the program's pointer is interior.
#include "../plant.h"

struct object {
    long value = 1;
    ~object() { value = 0; }
};

static object *volatile kept;

static void plant() {
    kept = new object[10]; // LEAK reachable interior 1 block 88 bytes held by global kept
    object *lost = new object[3]; // LEAK lost 1 block 32 bytes
    seen(lost);
    if (clean) {
        delete[] kept;
        delete[] lost;
    }
}
