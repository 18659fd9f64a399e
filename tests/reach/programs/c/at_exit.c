// What an exit handler or a destructor of the program frees is no leak; what they lose is one.
#include "../plant.h"

static void *volatile freed_by_handler, *volatile freed_by_destructor;

static void handler(void) {
    free(freed_by_handler);
    freed_by_handler = NULL; // Not a stale pointer to the next block there.
    lose(calloc(1, 54)); // LEAK lost 1 block 54 bytes
    scrub();
}

__attribute__((destructor)) static void destructor(void) {
    free(freed_by_destructor);
    freed_by_destructor = NULL;
    lose(calloc(1, 55)); // LEAK lost 1 block 55 bytes
    scrub();
}

static void plant(void) {
    freed_by_handler = calloc(1, 56);
    freed_by_destructor = calloc(1, 57);
    atexit(handler);
}
