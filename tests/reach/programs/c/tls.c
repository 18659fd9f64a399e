// Thread-local storage: of the main thread, of a thread that waits, and of one that has ended.
#include "../plant.h"
#include <pthread.h>
#include <semaphore.h>

static _Thread_local void *volatile own;
static sem_t ready;

static NOINLINE void fill(size_t size) {
    // LEAK reachable 2 blocks 300 bytes held by tls
    // LEAK lost 1 block 300 bytes
    own = seen(calloc(1, size));
    if (clean) {
        free(own);
        own = NULL;
    }
}

static void *ends(void *unused) {
    fill(300);
    return unused;
}

static void *waits(void *unused) {
    fill(200);
    scrub();
    sem_post(&ready);
    for (;;)
        pause();
    return unused;
}

static void plant(void) {
    pthread_t thread;
    sem_init(&ready, 0, 0);
    fill(100);
    pthread_create(&thread, NULL, ends, NULL); // LIBRARY the thread's control block
    pthread_join(thread, NULL);
    pthread_create(&thread, NULL, waits, NULL); // LIBRARY the thread's control block
    sem_wait(&ready);
}
