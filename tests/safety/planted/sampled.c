// Programs that run for a while, as programs in production do, and go wrong now and then.
//
// usage: sampled KIND ROUNDS
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noipa))

static volatile unsigned char sink;

NOINLINE static char *parse_header(size_t size) {
    char *header = malloc(size);
    memset(header, 7, size);
    return header;
}

NOINLINE static void overflow(char *header, size_t size, size_t by) {
    ((volatile char *)header)[size + by] = 1;
}

NOINLINE static void read_past(const char *header, size_t size) {
    sink = ((const volatile unsigned char *)header)[size + 16];
}

NOINLINE static void drop_header(char *header) { free(header); }

NOINLINE static void use_freed(const char *header) { sink = ((const volatile unsigned char *)header)[3]; }

// What others do meanwhile, from many places, rightly.
NOINLINE static void work(unsigned round) {
    static void *kept[256];
    unsigned place = round * 2654435761u >> 24;
    size_t size = 1 + round * 40503u % 3000;
    switch (round % 5) {
    case 0: free(kept[place]); kept[place] = malloc(size); memset(kept[place], 1, size); break;
    case 1: free(kept[place]); kept[place] = calloc(1, size); break;
    case 2: kept[place] = realloc(kept[place], size); memset(kept[place], 2, size); break;
    case 3: free(kept[place]); if (posix_memalign(&kept[place], 64, size)) abort(); break;
    default: free(kept[place]); kept[place] = NULL; break;
    }
}

// Another place to go wrong.
NOINLINE static void parse_body(void) {
    volatile char *body = malloc(90);
    body[90] = 1;
    free((void *)body);
}

static _Atomic(void *) shelf[64];

// Threads that free and resize each other's blocks.
static void *exchange(void *argument) {
    unsigned rounds = *(unsigned *)argument, state = (unsigned)(uintptr_t)&rounds >> 4;
    for (unsigned round = 0; round < rounds; round++) {
        state = state * 1664525u + 1013904223u;
        size_t size = 1 + (state >> 16) % 700;
        char *block = atomic_exchange(&shelf[state >> 26], NULL);
        if (block && block[0] != 5) abort();
        block = round % 3 ? realloc(block, size) : (free(block), malloc(size));
        block[0] = block[size - 1] = 5;
        free(atomic_exchange(&shelf[(state >> 10) % 64], block));
    }
    return NULL;
}

static void many_threads(unsigned rounds) {
    pthread_t threads[4];
    for (int i = 0; i < 4; i++) if (pthread_create(&threads[i], NULL, exchange, &rounds)) abort();
    for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
}

int main(int argc, char **argv) {
    if (argc < 3) return 2;
    const char *kind = argv[1];
    unsigned rounds = (unsigned)strtoul(argv[2], NULL, 10);
    if (!strcmp(kind, "none-threads")) many_threads(rounds);
    if (!strcmp(kind, "other")) parse_body();
    // Of odd size: a byte too many is a canary's. Of 48: it is the guard's.
    size_t size = !strcmp(kind, "canary") ? 43 : 48;
    for (unsigned round = 0; round < rounds; round++) {
        work(round);
        char *header = parse_header(size);
        // Far enough not to hit the heap's own words in a free block behind.
        if (!strcmp(kind, "overflow")) overflow(header, size, 24);
        if (!strcmp(kind, "canary")) overflow(header, size, 0);
        if (!strcmp(kind, "read")) read_past(header, size);
        drop_header(header);
        if (!strcmp(kind, "use-after-free")) use_freed(header);
        if (!strcmp(kind, "double-free")) drop_header(header);
    }
    puts("done");
    return 0;
}
