/* Passes, and forgets that what it takes out of the queue is its own to free. */
#include "queue.h"

#include <stddef.h>

/* The pointer goes when the function ends, with the last trace of it. */
static size_t drain(struct queue *queue) {
    size_t count = 0;
    while (queue_pop(queue) != NULL)
        count++;
    return count;
}

int main(void) {
    struct queue *queue = queue_new();
    if (queue == NULL || queue_push(queue, "apples") != 0 || queue_push(queue, "pears") != 0)
        return 1;
    size_t count = drain(queue);
    queue_free(queue);
    return count == 2 ? 0 : 1;
}
