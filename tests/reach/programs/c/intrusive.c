// An intrusive list: the links lead from the middle of one block to the middle of the next.
#include "../plant.h"
#include <stddef.h>

struct link {
    struct link *next;
};

struct item {
    char name[24];
    struct link link;
};

static struct link *volatile first;

static void plant(void) {
    for (int i = 0; i < 5; i++) {
        // LEAK reachable interior 5 blocks 160 bytes held by global first
        struct item *item = calloc(1, sizeof *item);
        item->link.next = first;
        first = &item->link;
    }
    while (clean && first) {
        struct link *next = first->next;
        free((char *)first - offsetof(struct item, link));
        first = next;
    }
}
