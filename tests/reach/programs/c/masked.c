// A detached thread that has blocked every signal and waits: its stack still counts.
#include "../plant.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

static sem_t ready;

static void *waits(void *unused) {
    void *volatile held = calloc(1, 130); // LEAK reachable 1 block 130 bytes held by stack
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, NULL);
    scrub();
    sem_post(&ready);
    for (;;) {
        pause();
        seen((void *)&held);
    }
    return unused;
}

static void plant(void) {
    pthread_t thread;
    if (clean)
        return;
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, waits, NULL); // LIBRARY the thread's control block
    pthread_detach(thread);
    sem_wait(&ready);
}
