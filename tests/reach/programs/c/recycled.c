// What a freed block pointed to is not held by the next one in its place, of whatever size.
#include "../plant.h"

static void *volatile kept[6];

static NOINLINE void fill(size_t bytes) {
    void **table = malloc(bytes);
    table[bytes / sizeof(void *) / 2] = calloc(1, 24); // LEAK lost 6 blocks 144 bytes
    if (clean)
        free(table[bytes / sizeof(void *) / 2]);
    free(seen(table));
}

static void plant(void) {
    static const size_t sizes[] = {32, 136, 1000, 4096, 60000, 900000};
    for (int i = 0; i < 6; i++) {
        fill(sizes[i]);
        kept[i] = malloc(sizes[i]); // LEAK reachable 6 blocks 965264 bytes held by global kept
    }
    for (int i = 0; clean && i < 6; i++)
        free((void *)kept[i]);
}
