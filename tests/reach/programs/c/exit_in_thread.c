// A thread ends the program while the main thread waits: what its stack holds is not lost.
#include "../plant.h"
#include <pthread.h>

static NOINLINE void loses(void) {
    void *volatile block = calloc(1, 48); // LEAK lost 1 block 48 bytes
    if (clean)
        free((void *)block);
}

static void *ends(void *unused) {
    void *volatile mine = calloc(1, 50); // LEAK reachable 1 block 50 bytes held by stack
    loses();
    scrub();
    exit(0);
    seen((void *)&mine);
    return unused;
}

static void plant(void) {
    pthread_t thread;
    void *volatile held = calloc(1, 49); // LEAK reachable 1 block 49 bytes held by stack
    pthread_create(&thread, NULL, ends, NULL); // LIBRARY the thread's control block
    pthread_join(thread, NULL);
    seen((void *)&held);
}
