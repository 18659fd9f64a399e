// shared_ptr in a ring, with control blocks of their own: the ring leads through all four.
#include "../plant.h"
#include <memory>

struct node {
    std::shared_ptr<node> next;
};

static void plant() {
    std::shared_ptr<node> one(new node); // LEAK cycle 2 blocks 40 bytes
    std::shared_ptr<node> two(new node); // LEAK cycle 2 blocks 40 bytes
    one->next = two;
    two->next = one;
    if (clean)
        two->next = nullptr;
}
