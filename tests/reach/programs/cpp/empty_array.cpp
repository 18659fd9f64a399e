// An array of nothing whose elements have a destructor: a word that says so, and a pointer behind it.
#include "../plant.h"

struct element {
    ~element() { seen(this); }
    char bytes[24];
};

static element *volatile kept;
static char *volatile behind;

static void plant() {
    size_t none = reinterpret_cast<size_t>(seen(nullptr));
    kept = new element[none]; // LEAK reachable interior 1 block 8 bytes held by global kept
    // A pointer behind any other block of a word holds nothing.
    char *word = static_cast<char *>(malloc(8)); // LEAK lost 1 block 8 bytes
    memset(word, 1, 8);
    behind = word + 8;
    if (clean) {
        delete[] kept;
        free(behind - 8);
    }
}
