/* Pairs of malloc and free beneath a call stack of a given depth.
 *
 * usage: depth PATTERN DEPTH PAIRS, where PATTERN is
 *   same     one block at a time, from one call stack
 *   varying  one block at a time, the three topmost frames from 512 combinations at random
 *   fifo     1000 blocks of 16 to 271 bytes in use, the oldest goes first
 * prints `pairs nanoseconds peak_kib`. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define APART __attribute__((noinline, noclone))
/* A statement after a call keeps the call from becoming a jump, and its frame on the stack. */
#define HOLD __asm__ volatile("" ::: "memory")

static void *ring[1000];
static uint32_t state = 2463534242u;

static uint32_t draw(void) {
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static void pair(size_t size) {
    char *block = malloc(size);
    if (!block)
        abort();
    *(volatile char *)block = 1;
    free(block);
}

static APART void same(long pairs) {
    for (long i = 0; i < pairs; i++)
        pair(64);
}

static APART void fifo(long pairs) {
    for (long i = 0; i < pairs; i++) {
        size_t place = (size_t)(i % 1000);
        free(ring[place]);
        ring[place] = malloc(16 + draw() % 256);
        if (!ring[place])
            abort();
        *(volatile char *)ring[place] = 1;
    }
    for (size_t i = 0; i < 1000; i++) {
        free(ring[i]);
        ring[i] = 0;
    }
}

#define EIGHT(X) X(0) X(1) X(2) X(3) X(4) X(5) X(6) X(7)
#define NAMES(prefix) {prefix##0, prefix##1, prefix##2, prefix##3, \
                       prefix##4, prefix##5, prefix##6, prefix##7}

#define LEAF(i) static APART void leaf##i(void) { pair(64); HOLD; }
EIGHT(LEAF)
static void (*const leaves[])(void) = NAMES(leaf);
#define TWIG(i) static APART void twig##i(uint32_t way) { leaves[way & 7](); HOLD; }
EIGHT(TWIG)
static void (*const twigs[])(uint32_t) = NAMES(twig);
#define BRANCH(i) static APART void branch##i(uint32_t way) { twigs[way & 7](way >> 3); HOLD; }
EIGHT(BRANCH)
static void (*const branches[])(uint32_t) = NAMES(branch);

static APART void varying(long pairs) {
    for (long i = 0; i < pairs; i++) {
        uint32_t way = draw() >> 8;
        branches[way & 7](way >> 3);
    }
}

typedef void work(long pairs);

/* Eight functions with frames of different sizes, in turn. */
#define FRAME(i) \
    static APART void frame##i(int depth, work *of, long pairs) { \
        volatile char room[16 * (i + 1)]; \
        room[0] = (char)depth; \
        descend(depth - 1, of, pairs); \
        room[1] = room[0]; \
    }
static void descend(int depth, work *of, long pairs);
EIGHT(FRAME)
static void (*const frames[])(int, work *, long) = NAMES(frame);

static APART void descend(int depth, work *of, long pairs) {
    if (depth <= 0)
        of(pairs);
    else
        frames[depth & 7](depth - 1, of, pairs);
    HOLD;
}

static uint64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

int main(int count, char **words) {
    if (count != 4)
        return 2;
    work *of = !strcmp(words[1], "same") ? same : !strcmp(words[1], "fifo") ? fifo : varying;
    /* Beneath are main and what called it; above, the pattern's own frames. */
    int depth = atoi(words[2]) - (of == varying ? 7 : 4);
    long pairs = atol(words[3]);
    descend(depth, of, pairs / 16);
    uint64_t start = now();
    descend(depth, of, pairs);
    uint64_t elapsed = now() - start;
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%ld %llu %ld\n", pairs, (unsigned long long)elapsed, usage.ru_maxrss);
    return 0;
}
