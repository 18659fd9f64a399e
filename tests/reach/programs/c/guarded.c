// Blocks with pages that cannot be read: guards of stacks, in the middle of what was allocated. What
// lies around them counts, whether the block is kept or lost.
#include "../plant.h"
#include <stdio.h>
#include <sys/mman.h>

#define PAGE 4096

static char *volatile kept;

static void guard(char *stack, int protection) {
    if (mprotect(stack + 2 * PAGE, PAGE, protection) != 0)
        abort();
}

static void plant(void) {
    char *stack = aligned_alloc(PAGE, 8 * PAGE); // LEAK reachable 1 block 32768 bytes held by global kept
    ((void **)stack)[1] = calloc(1, 24); // LEAK reachable 1 block 24 bytes held by global kept
    ((void **)(stack + 3 * PAGE))[0] = calloc(1, 40); // LEAK reachable 1 block 40 bytes held by global kept
    guard(stack, PROT_NONE);
    kept = stack;
    char *lost = aligned_alloc(PAGE, 64 * PAGE); // LEAK lost 1 block 262144 bytes
    ((void **)(lost + 63 * PAGE))[511] = calloc(1, 56); // LEAK indirect 1 block 56 bytes under plant
    guard(lost, PROT_NONE);
    if (clean) {
        guard(stack, PROT_READ | PROT_WRITE);
        guard(lost, PROT_READ | PROT_WRITE);
        free(((void **)stack)[1]);
        free(((void **)(stack + 3 * PAGE))[0]);
        free(((void **)(lost + 63 * PAGE))[511]);
        free(stack);
    }
    lose(lost);
}
