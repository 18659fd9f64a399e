// Two blocks that a function's variable alone holds: one in the first thread, which ends the
// process from there, and one in another, which waits.

#define _GNU_SOURCE
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

static pthread_barrier_t begin;

static __attribute__((noinline)) void held_by_the_first(void) {
    char *volatile block = malloc(54321);
    block[0] = 1;
    exit(0);
}

static __attribute__((noinline)) void held_by_another(void) {
    char *volatile block = malloc(12345);
    block[0] = 1;
    pthread_barrier_wait(&begin);
    for (;;)
        pause();
}

static void *other(void *unused) {
    held_by_another();
    return unused;
}

int main(void) {
    pthread_barrier_init(&begin, NULL, 2);
    pthread_t thread;
    pthread_create(&thread, NULL, other, NULL);
    pthread_barrier_wait(&begin);
    held_by_the_first();
}
