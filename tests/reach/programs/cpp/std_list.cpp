// A lost list and its nodes are a ring; a kept one hangs on its global.
#include "../plant.h"
#include <list>

static std::list<long> *volatile kept;

static NOINLINE std::list<long> *make(int length) {
    // LEAK cycle 1 block 24 bytes
    // LEAK reachable 1 block 24 bytes held by global kept
    auto made = new std::list<long>;
    for (int i = 0; i < length; i++) {
        // LEAK cycle 4 blocks 96 bytes
        // LEAK reachable 6 blocks 144 bytes held by global kept
        made->push_back(i);
    }
    return made;
}

static void plant() {
    auto lost = make(4);
    kept = make(6);
    if (clean) {
        delete lost;
        delete kept;
    }
    seen(lost);
}
