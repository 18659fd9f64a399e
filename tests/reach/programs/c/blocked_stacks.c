// Stacks of threads that are blocked: in read, in a lock, on a condition, asleep.
#include "../plant.h"
#include <pthread.h>
#include <semaphore.h>

static sem_t ready;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t never = PTHREAD_COND_INITIALIZER;
static int ends[2];

static void *blocks(void *how) {
    void *volatile held = calloc(1, 120); // LEAK reachable 4 blocks 480 bytes held by stack
    char byte;
    seen((void *)&held);
    scrub();
    sem_post(&ready);
    switch ((intptr_t)how) {
    case 0:
        byte = (char)read(ends[0], &byte, 1);
        break;
    case 1:
        pthread_mutex_lock(&lock);
        break;
    case 2: {
        pthread_mutex_t mine = PTHREAD_MUTEX_INITIALIZER;
        pthread_mutex_lock(&mine);
        pthread_cond_wait(&never, &mine);
        break;
    }
    default:
        sleep(1000);
    }
    seen((void *)&held);
    return NULL;
}

static void plant(void) {
    pthread_t thread;
    if (clean || pipe(ends) != 0)
        return;
    sem_init(&ready, 0, 0);
    pthread_mutex_lock(&lock);
    for (intptr_t how = 0; how < 4; how++) {
        pthread_create(&thread, NULL, blocks, (void *)how); // LIBRARY the thread's control block
        sem_wait(&ready);
    }
}
