// A list without its head: the first is lost, and the others through it.
#include "../plant.h"

struct node {
    struct node *next;
    long value;
};

static NOINLINE struct node *rest(void) {
    struct node *first = NULL;
    for (int i = 0; i < 4; i++) {
        struct node *node = calloc(1, sizeof *node); // LEAK indirect 4 blocks 64 bytes under head
        node->next = first;
        first = node;
    }
    return first;
}

static NOINLINE struct node *head(void) {
    struct node *node = calloc(1, sizeof *node); // LEAK lost 1 block 16 bytes
    node->next = rest();
    return node;
}

static void plant(void) {
    struct node *node = head();
    while (clean && node) {
        struct node *next = node->next;
        free(node);
        node = next;
    }
    seen(node);
}
