/* A queue of strings, for the sake of its tests. */
#ifndef QUEUE_H
#define QUEUE_H

#include <stddef.h>

struct queue;

/* An empty queue, or NULL when memory ran out. */
struct queue *queue_new(void);

/* Frees the queue and what is left in it. */
void queue_free(struct queue *queue);

/* Appends a copy of the text; 0, or -1 when memory ran out. */
int queue_push(struct queue *queue, const char *text);

/* Takes the first text, which is the caller's to free; NULL when there is none. */
char *queue_pop(struct queue *queue);

size_t queue_len(const struct queue *queue);

#endif
