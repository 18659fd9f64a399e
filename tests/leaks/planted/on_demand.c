// Asks for a leak check in the middle of the work. It does not link with Heapsight: it looks the
// functions up, finds them when it runs under the preloaded library, and could do without.
//
// Usage: on_demand

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define BLOCKS 3

// Pointers in disguise: what is kept here is lost to everybody else.
static uintptr_t kept[BLOCKS];

static __attribute__((noinline)) void allocate_some(void) {
    for (int i = 0; i < BLOCKS; i++)
        kept[i] = ~(uintptr_t)malloc(100); // LEAK: 3 blocks, 300 bytes in allocate_some
}

static __attribute__((noinline)) void free_them(void) {
    for (int i = 0; i < BLOCKS; i++)
        free((void *)~kept[i]);
}

int main(void) {
    uint64_t (*check)(void);
    *(void **)&check = dlsym(RTLD_DEFAULT, "heapsight_check_for_leaks");
    if (check == NULL) {
        fputs("not running under libheapsight.so\n", stderr);
        return 1;
    }
    fputs("--- before ---\n", stderr);
    uint64_t before = check();
    allocate_some();
    fputs("--- during ---\n", stderr);
    uint64_t during = check();
    free_them();
    fputs("--- after ---\n", stderr);
    uint64_t after = check();
    printf("%d %d\n", (int)(during - before), (int)(after - before));
    return 0;
}
