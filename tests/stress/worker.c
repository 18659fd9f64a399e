/* The mix of operations, and the child process that inherits them half done. */
#define _GNU_SOURCE
#include "worker.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared.h"

/* How many operations a child does, and after how many seconds it counts as hanging. */
enum { CHILD_OPERATIONS = 2000, CHILD_SECONDS = 120 };
/* Memory is asked back once in so many operations. */
enum { TRIM = 16384 };

static void one_operation(struct worker *worker)
{
    struct random *random = &worker->random;
    struct block *block = &worker->slots[random_below(random, WORKER_SLOTS)];
    if (block->ptr == NULL) {
        block_allocate(block, random);
        return;
    }
    if (random_below(random, TRIM) == 0)
        malloc_trim(0);
    unsigned choice = random_below(random, 100);
    if (choice < 45)
        block_release(block);
    else if (choice < 70)
        block_resize(block, random);
    else
        shared_swap(random_below(random, SHARED_SLOTS), block);
}

void worker_run(struct worker *worker, unsigned long operations)
{
    for (unsigned long done = 0; done < operations; done++)
        one_operation(worker);
    worker->operations += operations;
}

void worker_release(struct worker *worker, int only_half)
{
    for (size_t slot = 0; slot < WORKER_SLOTS; slot += only_half ? 2 : 1)
        if (worker->slots[slot].ptr != NULL)
            block_release(&worker->slots[slot]);
}

/* What the child does: its own thread's blocks and the shared ones are whole, whatever the other
   threads, which do not exist here, were doing. */
static void inherit(struct worker *worker, int others_are_parked)
{
    alarm(CHILD_SECONDS);
    for (size_t slot = 0; slot < WORKER_SLOTS; slot++)
        if (worker->slots[slot].ptr != NULL)
            block_check(&worker->slots[slot]);
    worker_release(worker, 1);
    worker_run(worker, CHILD_OPERATIONS);
    shared_drain();
    worker_release(worker, 0);
    if (others_are_parked)
        check_heap("in a forked child");
}

void worker_fork(struct worker *worker, int others_are_parked)
{
    fflush(NULL);
    pid_t child = fork();
    if (child < 0)
        fail("fork: %s", strerror(errno));
    if (child == 0) {
        inherit(worker, others_are_parked);
        /* Both ways out of a child occur in real programs. */
        if (others_are_parked)
            exit(0);
        _exit(0);
    }
    int status = 0;
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            fail("waitpid: %s", strerror(errno));
    if (WIFSIGNALED(status))
        fail("a forked child ended by signal %d%s", WTERMSIG(status),
             WTERMSIG(status) == SIGALRM ? ": it hung" : "");
    if (WEXITSTATUS(status) != 0)
        fail("a forked child exited with %d", WEXITSTATUS(status));
}

int check_heap(const char *when)
{
    size_t (*checker)(void);
    void *symbol = dlsym(RTLD_DEFAULT, "heapsight_check_heap");
    if (symbol == NULL)
        return 0;
    memcpy(&checker, &symbol, sizeof checker);
    size_t found = checker();
    if (found != 0)
        fail("the heap checker found %zu inconsistencies %s", found, when);
    return 1;
}
