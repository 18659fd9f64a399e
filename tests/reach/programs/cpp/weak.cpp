// A weak_ptr back makes no ring. One outlives its object: its control block is what stays.
#include "../plant.h"
#include <memory>

struct node {
    std::shared_ptr<node> child;
    std::weak_ptr<node> parent;
};

static std::weak_ptr<node> *volatile observer;

static void plant() {
    // LEAK reachable 1 block 48 bytes held by global observer
    auto parent = std::make_shared<node>();
    parent->child = std::make_shared<node>();
    parent->child->parent = parent;
    // LEAK reachable 1 block 16 bytes held by global observer
    observer = new std::weak_ptr<node>(parent);
    if (clean)
        delete observer;
}
