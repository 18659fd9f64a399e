// pthread_setspecific: a key of the first level, kept in the thread itself, and one of the second.
#include "../plant.h"
#include <pthread.h>

static void plant(void) {
    pthread_key_t keys[48];
    for (int i = 0; i < 48; i++)
        pthread_key_create(&keys[i], NULL);
    void *first = calloc(1, 60);  // LEAK reachable 1 block 60 bytes held by tls
    void *second = calloc(1, 61); // LEAK reachable 1 block 61 bytes held by tls
    pthread_setspecific(keys[3], first);
    pthread_setspecific(keys[47], second); // LIBRARY the second level
    if (clean) {
        free(first);
        free(second);
    }
}
