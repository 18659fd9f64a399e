// A doubly linked list with a header that its nodes do not know: the header alone is lost.
#include "../plant.h"

struct node {
    struct node *next, *previous;
    long value;
};

struct header {
    struct node *first, *last;
    size_t length;
    void *owner;
};

static NOINLINE void append(struct header *header) {
    struct node *node = calloc(1, sizeof *node); // LEAK indirect 3 blocks 72 bytes under header
    node->previous = header->last;
    if (header->last)
        header->last->next = node;
    else
        header->first = node;
    header->last = node;
}

static NOINLINE struct header *header(void) {
    struct header *header = calloc(1, sizeof *header); // LEAK lost 1 block 32 bytes
    for (int i = 0; i < 3; i++)
        append(header);
    return header;
}

static void plant(void) {
    struct header *list = header();
    if (clean) {
        for (struct node *node = list->first; node;) {
            struct node *next = node->next;
            free(node);
            node = next;
        }
        free(list);
    }
    seen(list);
}
