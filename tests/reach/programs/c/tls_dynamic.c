// Thread-local storage of a library loaded at run time, in the main thread and in another.
#include "../plant.h"
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>

typedef void keep(void *);

static keep *keep_it;
static sem_t ready;

static NOINLINE void fill(void) {
    void *block = seen(calloc(1, 110)); // LEAK reachable 2 blocks 220 bytes
    keep_it(block);                     // LIBRARY the thread's copy of the library's storage
    if (clean)
        free(block);
}

static void *waits(void *unused) {
    fill();
    scrub();
    sem_post(&ready);
    for (;;)
        pause();
    return unused;
}

static void plant(void) {
    pthread_t thread;
    void *library = dlopen(PLANT_LIBRARY, RTLD_NOW); // LIBRARY the loader's records
    keep_it = (keep *)dlsym(library, "keep");
    sem_init(&ready, 0, 0);
    fill();
    pthread_create(&thread, NULL, waits, NULL); // LIBRARY the thread's control block
    sem_wait(&ready);
}
