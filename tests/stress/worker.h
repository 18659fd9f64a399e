/* One line of work: blocks that belong to one thread at a time, and the operations on them. */
#ifndef STRESS_WORKER_H
#define STRESS_WORKER_H

#include "block.h"

enum { WORKER_SLOTS = 192, WORKERS_MAX = 64 };

struct worker {
    struct random random;
    unsigned long operations; /* done so far */
    struct block slots[WORKER_SLOTS];
};

/* Does `operations` random operations on the worker's and the shared blocks. */
void worker_run(struct worker *worker, unsigned long operations);

/* Checks and frees the worker's blocks: all, or every second one. */
void worker_release(struct worker *worker, int only_half);

/* Forks, lets the child use, check and free what it inherited, and waits for it. With
   `others_are_parked` the whole heap is checked in the child too. */
void worker_fork(struct worker *worker, int others_are_parked);

/* Runs the whole-heap checker if the allocator has one; true if it has. Every other thread must be
   parked. */
int check_heap(const char *when);

#endif
