// Arguments of threads that may not have started yet when the program ends.
#include "../plant.h"
#include <pthread.h>

static void *waits(void *argument) {
    for (;;) {
        pause();
        seen(argument);
    }
    return NULL;
}

static void plant(void) {
    pthread_t thread;
    for (int i = 0; i < 10 && !clean; i++) {
        void *argument = calloc(1, 77); // LEAK reachable 10 blocks 770 bytes
        pthread_create(&thread, NULL, waits, argument); // LIBRARY the thread's control block
    }
}
