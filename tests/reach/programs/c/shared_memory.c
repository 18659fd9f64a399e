// A pointer in memory that is shared with other processes.
#include "../plant.h"
#include <sys/mman.h>

static void **volatile shared;

static void plant(void) {
    shared = (void **)mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
                           -1, 0);
    shared[100] = calloc(1, 193); // LEAK reachable 1 block 193 bytes
    if (clean)
        free(shared[100]);
}
