#include "queue.h"

#include <stdlib.h>
#include <string.h>

struct entry {
    struct entry *next;
    char *text;
};

struct queue {
    struct entry *first;
    struct entry **end;
    size_t len;
};

struct queue *queue_new(void) {
    struct queue *queue = calloc(1, sizeof *queue);
    if (queue != NULL)
        queue->end = &queue->first;
    return queue;
}

void queue_free(struct queue *queue) {
    while (queue_len(queue) > 0)
        free(queue_pop(queue));
    free(queue);
}

int queue_push(struct queue *queue, const char *text) {
    struct entry *entry = calloc(1, sizeof *entry);
    if (entry == NULL)
        return -1;
    entry->text = malloc(strlen(text) + 1);
    if (entry->text == NULL) {
        free(entry);
        return -1;
    }
    strcpy(entry->text, text);
    *queue->end = entry;
    queue->end = &entry->next;
    queue->len++;
    return 0;
}

char *queue_pop(struct queue *queue) {
    struct entry *entry = queue->first;
    if (entry == NULL)
        return NULL;
    char *text = entry->text;
    queue->first = entry->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    queue->len--;
    free(entry);
    return text;
}

size_t queue_len(const struct queue *queue) {
    return queue->len;
}
