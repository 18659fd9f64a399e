// What objects in static memory own, their destructors free: no leaks. One is never destroyed.
#include "../plant.h"
#include <map>
#include <string>
#include <vector>

static std::vector<std::string> names;
static std::map<int, std::string> numbers;

static std::vector<long> &immortal() {
    // LEAK reachable 1 block 24 bytes held by global made
    static auto *made = new std::vector<long>;
    return *made;
}

static void plant() {
    for (int i = 0; i < 10; i++) {
        names.emplace_back(50, 'n');
        numbers[i] = std::string(60, 'm');
    }
    immortal().reserve(7); // LEAK reachable 1 block 56 bytes held by global made
    if (clean) {
        immortal().shrink_to_fit();
        delete &immortal();
    }
}
