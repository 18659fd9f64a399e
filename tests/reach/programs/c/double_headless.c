// A doubly linked list without a head: every node is held by its neighbours, and by nobody else.
#include "../plant.h"

struct node {
    struct node *next, *previous;
    long value;
};

static void plant(void) {
    struct node *last = NULL;
    for (int i = 0; i < 4; i++) {
        struct node *node = calloc(1, sizeof *node); // LEAK cycle 4 blocks 96 bytes
        node->previous = last;
        if (last)
            last->next = node;
        last = node;
    }
    while (clean && last) {
        struct node *previous = last->previous;
        free(last);
        last = previous;
    }
    seen(last);
}
