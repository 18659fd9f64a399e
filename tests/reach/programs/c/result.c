// The result of a thread that has ended can be had until the thread is joined.
#include "../plant.h"
#include <pthread.h>

static pthread_t thread;

static void *makes(void *unused) {
    void *result = calloc(1, 45); // LEAK reachable 1 block 45 bytes
    scrub();
    (void)unused;
    return result;
}

static void plant(void) {
    pthread_create(&thread, NULL, makes, NULL); // LIBRARY the thread's control block
    usleep(100000);
    if (clean) {
        void *result;
        pthread_join(thread, &result);
        free(result);
    }
}
