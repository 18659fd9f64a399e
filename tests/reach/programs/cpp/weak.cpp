// A weak_ptr back makes no ring. One outlives its object: its control block is what stays.
#include "../plant.h"
#include <memory>

struct node {
    std::shared_ptr<node> child;
    std::weak_ptr<node> parent;
};

static std::weak_ptr<node> *volatile observer;

static void plant() {
    auto parent = std::make_shared<node>(); // LEAK reachable 1 block 48 bytes held by global observer
    parent->child = std::make_shared<node>();
    parent->child->parent = parent;
    observer = new std::weak_ptr<node>(parent); // LEAK reachable 1 block 16 bytes held by global observer
    if (clean)
        delete observer;
}
