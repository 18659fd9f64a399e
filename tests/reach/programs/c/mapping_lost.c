// Mapped memory that nothing leads to any more, unmapped or not, holds nothing.
#include "../plant.h"
#include <sys/mman.h>

static void plant(void) {
    void **unmapped = (void **)mmap(NULL, 1 << 16, PROT_READ | PROT_WRITE,
                                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    unmapped[9] = calloc(1, 192); // LEAK lost 1 block 192 bytes
    if (clean)
        free(unmapped[9]);
    munmap(unmapped, 1 << 16);
}
