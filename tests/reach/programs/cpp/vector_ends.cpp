// A full vector: its end is the first byte behind its block, which its begin holds. A vector whose
// begin was thrown away has only the end.
#include "../plant.h"
#include <vector>

static std::vector<long> *volatile full;
static long *volatile only_end;

static void plant() {
    full = new std::vector<long>; // LEAK reachable 1 block 24 bytes held by global full
    full->reserve(5); // LEAK reachable 1 block 40 bytes held by global full
    full->assign(5, 1);
    only_end = new long[5] + 5; // LEAK lost 1 block 40 bytes
    if (clean) {
        delete full;
        delete[] (only_end - 5);
    }
}
