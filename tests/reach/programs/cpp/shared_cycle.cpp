// shared_ptr in a ring, made in one piece: each block holds the next; a leaf hangs on the ring.
#include "../plant.h"
#include <memory>

struct node {
    std::shared_ptr<node> next, other;
};

static void plant() {
    auto one = std::make_shared<node>(); // LEAK cycle 1 block 48 bytes
    auto two = std::make_shared<node>(); // LEAK cycle 1 block 48 bytes
    auto leaf = std::make_shared<node>(); // LEAK indirect 1 block 48 bytes
    one->next = two;
    two->next = one;
    two->other = leaf;
    if (clean)
        two->next = nullptr;
}
