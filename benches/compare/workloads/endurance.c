/* Many pairs of malloc and free from some thousand call stacks, for as long as one likes.
 *
 * usage: endurance PAIRS THREADS
 * Each thread keeps 512 blocks of 16 to 143 bytes; each comes from one of 4096 call stacks, by
 * chance. Prints `pairs bytes nanoseconds`: the blocks allocated, all of them freed, and their bytes. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define APART __attribute__((noinline, noclone))
/* A statement after a call keeps the call from becoming a jump, and its frame on the stack. */
#define HOLD __asm__ volatile("" ::: "memory")
#define KEPT 512
#define THREADS 64

static void *get(size_t size) {
    char *block = malloc(size);
    if (!block)
        abort();
    *(volatile char *)block = 1;
    return block;
}

typedef void *step(uint32_t way, size_t size);

/* Eight functions of each storey, each of which calls one of the eight of the next. */
#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define NAMES(name) {name##0, name##1, name##2, name##3, name##4, name##5, name##6, name##7}
#define CALLS(name, i, next) \
    static APART void *name##i(uint32_t way, size_t size) { \
        void *block = next[way & 7](way >> 3, size); \
        HOLD; \
        return block; \
    }

#define LEAF(i) \
    static APART void *leaf##i(uint32_t way, size_t size) { \
        void *block = get(size); \
        (void)way; \
        HOLD; \
        return block; \
    }
EIGHT(LEAF)
static step *const leaves[] = NAMES(leaf);
#define TWIG(i) CALLS(twig, i, leaves)
EIGHT(TWIG)
static step *const twigs[] = NAMES(twig);
#define BRANCH(i) CALLS(branch, i, twigs)
EIGHT(BRANCH)
static step *const branches[] = NAMES(branch);
#define TRUNK(i) CALLS(trunk, i, branches)
EIGHT(TRUNK)
static step *const trunks[] = NAMES(trunk);

struct work {
    pthread_t thread;
    uint64_t pairs, bytes;
    uint32_t state;
};

static APART void *run(void *argument) {
    struct work *of = argument;
    void *kept[KEPT] = {0};
    uint32_t state = of->state;
    uint64_t bytes = 0;
    for (uint64_t i = 0; i < of->pairs; i++) {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        size_t size = 16 + (state >> 24) % 128, place = i % KEPT;
        uint32_t way = state >> 8;
        free(kept[place]);
        kept[place] = trunks[way & 7](way >> 3, size);
        bytes += size;
    }
    for (size_t i = 0; i < KEPT; i++)
        free(kept[i]);
    of->bytes = bytes;
    return NULL;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int count, char **words) {
    if (count != 3)
        return 2;
    uint64_t pairs = strtoull(words[1], NULL, 10), bytes = 0;
    unsigned threads = (unsigned)atoi(words[2]);
    if (threads < 1 || threads > THREADS)
        return 2;
    static struct work works[THREADS];
    uint64_t start = now();
    for (unsigned i = 0; i < threads; i++) {
        works[i].pairs = pairs / threads + (i < pairs % threads);
        works[i].state = 2463534242u + i * 7919u;
        if (pthread_create(&works[i].thread, NULL, run, &works[i]))
            return 1;
    }
    for (unsigned i = 0; i < threads; i++) {
        pthread_join(works[i].thread, NULL);
        bytes += works[i].bytes;
    }
    printf("%llu %llu %llu\n", (unsigned long long)pairs, (unsigned long long)bytes,
           (unsigned long long)(now() - start));
    return 0;
}
