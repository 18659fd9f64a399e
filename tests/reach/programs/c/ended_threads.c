// Blocks of threads that have ended: some lost, some handed on, and a result nobody has fetched.
#include "../plant.h"
#include <pthread.h>

static void *volatile handed_on[3];

static void *works(void *number) {
    void *volatile mine = calloc(1, 33); // LEAK lost 3 blocks 99 bytes
    // LEAK reachable 3 blocks 132 bytes held by global handed_on
    handed_on[(intptr_t)number] = calloc(1, 44);
    if (clean) {
        free((void *)mine);
        free(handed_on[(intptr_t)number]);
    }
    return NULL;
}

static void plant(void) {
    pthread_t threads[3];
    for (intptr_t i = 0; i < 3; i++)
        pthread_create(&threads[i], NULL, works, (void *)i); // LIBRARY the thread's control block
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
}
