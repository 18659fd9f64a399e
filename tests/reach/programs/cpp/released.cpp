// unique_ptr::release of the root of a tree.
#include "../plant.h"
#include <memory>

struct node {
    std::unique_ptr<node> left, right;
    long value = 0;
};

static NOINLINE std::unique_ptr<node> grow(int depth) {
    if (depth == 0)
        return nullptr;
    std::unique_ptr<node> made(new node); // LEAK indirect 6 blocks 144 bytes under root
    made->left = grow(depth - 1);
    made->right = grow(depth - 1);
    return made;
}

static NOINLINE std::unique_ptr<node> root() {
    std::unique_ptr<node> made(new node); // LEAK lost 1 block 24 bytes
    made->left = grow(2);
    made->right = grow(2);
    return made;
}

static void plant() {
    std::unique_ptr<node> tree = root();
    if (!clean)
        seen(tree.release());
}
