// A lost unordered_map: it and its buckets point to each other, the nodes hang on them.
#include "../plant.h"
#include <unordered_map>

using table = std::unordered_map<long, long>;

static void plant() {
    table *made = new table; // LEAK cycle 1 block 56 bytes
    made->rehash(20); // LEAK cycle 1 block 184 bytes
    for (long i = 0; i < 10; i++)
        made->emplace(i, i); // LEAK indirect 10 blocks 240 bytes
    if (clean)
        delete made;
    seen(made);
}
