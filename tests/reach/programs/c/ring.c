// A ring of fifty, and two rings that share a block that belongs to neither.
#include "../plant.h"

struct node {
    struct node *next;
    void *shared;
};

static NOINLINE struct node *ring(int length, void *shared) {
    struct node *first = NULL, *last = NULL;
    for (int i = 0; i < length; i++) {
        struct node *node = calloc(1, sizeof *node); // LEAK cycle 60 blocks 960 bytes
        node->next = first;
        node->shared = shared;
        first = node;
        if (!last)
            last = node;
    }
    last->next = first;
    return first;
}

static NOINLINE void cut(struct node *first) {
    struct node *node = first;
    do {
        struct node *next = node->next;
        free(node);
        node = next;
    } while (node != first);
}

static void plant(void) {
    void *shared = calloc(1, 200); // LEAK indirect 1 block 200 bytes
    struct node *rings[] = {ring(50, NULL), ring(4, shared), ring(6, shared)};
    if (clean) {
        for (int i = 0; i < 3; i++)
            cut(rings[i]);
        free(shared);
    }
    seen(rings);
}
