/* Frees what it takes out of the queue, and the queue with the rest. */
#include "queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define CHECK(condition) \
    do { \
        if (!(condition)) { \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition); \
            exit(1); \
        } \
    } while (0)

int main(void) {
    struct queue *queue = queue_new();
    CHECK(queue != NULL);
    CHECK(queue_push(queue, "apples") == 0);
    CHECK(queue_push(queue, "pears") == 0);
    char *first = queue_pop(queue);
    CHECK(first != NULL && strcmp(first, "apples") == 0);
    CHECK(queue_len(queue) == 1);
    free(first);
    queue_free(queue);
    return 0;
}
