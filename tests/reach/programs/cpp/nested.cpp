// A map of strings to vectors, lost whole. Its nodes point back into the map: they are a ring, and
// what the nodes hold is lost through it.
#include "../plant.h"
#include <map>
#include <string>
#include <vector>

using table = std::map<std::string, std::vector<int>>;

static NOINLINE void fill(table *into) {
    for (int i = 0; i < 5; i++) {
        // LEAK indirect 5 blocks 205 bytes
        std::string key(40, char('a' + i));
        into->emplace(std::move(key), std::vector<int>()); // LEAK cycle 5 blocks 440 bytes
    }
    for (auto &entry : *into)
        entry.second.assign(10, 1); // LEAK indirect 5 blocks 200 bytes
}

static void plant() {
    table *made = new table; // LEAK cycle 1 block 48 bytes
    fill(made);
    if (clean)
        delete made;
    seen(made);
}
