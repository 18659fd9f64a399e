// An allocator of the program's own in mapped memory: a global leads to it, and it holds a block.
#include "../plant.h"
#include <sys/mman.h>

struct arena {
    char *next, *end;
    void *held[4];
};

static struct arena *volatile arena;

static void plant(void) {
    size_t size = 1 << 20;
    arena = (struct arena *)mmap(NULL, size, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    arena->next = (char *)(arena + 1);
    arena->end = (char *)arena + size;
    arena->held[2] = calloc(1, 190); // LEAK reachable 1 block 190 bytes
    // Deep in the arena, far from what the global points to.
    memcpy(arena->next + 500000, &arena->held[3], 8);
    *(void **)(arena->end - 64) = calloc(1, 191); // LEAK reachable 1 block 191 bytes
    if (clean) {
        free(arena->held[2]);
        free(*(void **)(arena->end - 64));
    }
}
