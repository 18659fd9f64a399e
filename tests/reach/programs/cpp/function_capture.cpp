// What a std::function has captured lies in a block that it holds.
#include "../plant.h"
#include <functional>
#include <vector>

struct large {
    long words[8] = {};
};

static std::function<long()> *volatile kept;

static NOINLINE std::function<long()> *make(long *counted) {
    large copied;
    // LEAK reachable 1 block 32 bytes held by global kept
    // LEAK lost 1 block 32 bytes
    auto made = new std::function<long()>;
    // LEAK reachable 1 block 72 bytes held by global kept
    // LEAK indirect 1 block 72 bytes under make
    *made = [copied, counted] { return copied.words[3] + *counted; };
    return made;
}

static void plant() {
    long *counted = new long(5); // LEAK reachable 1 block 8 bytes held by global kept
    kept = make(counted);
    auto lost = make(counted);
    seen(lost);
    if (clean) {
        delete kept;
        delete lost;
        delete counted;
    }
}
