// Lists of a hundred thousand nodes, one lost and one kept: no walk may recurse.
#include "../plant.h"

struct node {
    struct node *next;
    long value;
};

static struct node *volatile kept;

static NOINLINE struct node *chain(struct node *first, int length) {
    for (int i = 0; i < length; i++) {
        // LEAK reachable 100000 blocks 1600000 bytes held by global kept
        // LEAK indirect 99999 blocks 1599984 bytes under chain
        // LEAK lost 1 block 16 bytes
        struct node *node = calloc(1, sizeof *node);
        node->next = first;
        first = node;
    }
    return first;
}

static NOINLINE void release(struct node *node) {
    while (node) {
        struct node *next = node->next;
        free(node);
        node = next;
    }
}

static void plant(void) {
    kept = chain(NULL, 100000);
    struct node *lost = chain(NULL, 100000);
    if (clean) {
        release(kept);
        release(lost);
    }
    seen(lost);
}
