// Leaks with known stacks, for the tests of the leak report.
//
// Every place that leaks says so in a comment that the test reads: how many blocks, how many bytes,
// in which function. A marker counts for the line it stands on, or else for the next line of code;
// CALLER marks the line of a call. `leak clean` allocates the same and frees all of it.
//
// Usage: leak leak|clean [exit code]

#define _GNU_SOURCE
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))
#define INLINE static inline __attribute__((always_inline))

static bool clean;

// Loses the block, or frees it in the clean twin. The compiler cannot see that nothing keeps it, so
// it cannot remove the allocation; and no pointer to it is kept anywhere.
static NOINLINE void lose(void *block) {
    __asm__ volatile("" : : "r"(block) : "memory");
    if (clean)
        free(block);
}

// Before main: whoever watches must have begun by then.
__attribute__((constructor)) static void early(int argc, char **argv) {
    clean = argc > 1 && strcmp(argv[1], "clean") == 0;
    lose(malloc(11)); // LEAK: 1 block, 11 bytes in early
}

static NOINLINE void in_a_loop(void) {
    for (int i = 0; i < 3; i++)
        lose(malloc(100)); // LEAK: 3 blocks, 300 bytes in in_a_loop
}

static NOINLINE void *make_label(size_t size) {
    // LEAK: 4 blocks, 128 bytes in make_label, called by first_caller
    // LEAK: 2 blocks, 96 bytes in make_label, called by second_caller
    char *label = malloc(size);
    label[0] = 'x';
    return label;
}

static NOINLINE void first_caller(void) {
    for (int i = 0; i < 4; i++)
        lose(make_label(32)); // CALLER: first_caller
}

static NOINLINE void second_caller(void) {
    for (int i = 0; i < 2; i++)
        lose(make_label(48)); // CALLER: second_caller
}

// A block counts with its last size, at the line that gave it that size.
static NOINLINE void grown_twice(void) {
    char *block = malloc(10);
    block = realloc(block, 200);
    lose(realloc(block, 50000)); // LEAK: 1 block, 50000 bytes in grown_twice
}

static NOINLINE void shrunk(void) {
    char *block = malloc(3000);
    lose(realloc(block, 30)); // LEAK: 1 block, 30 bytes in shrunk
}

static NOINLINE void zeroed(void) {
    for (int i = 0; i < 2; i++)
        lose(calloc(7, 24)); // LEAK: 2 blocks, 336 bytes in zeroed
}

static NOINLINE void resized_array(void) {
    lose(reallocarray(NULL, 9, 70)); // LEAK: 1 block, 630 bytes in resized_array
}

static NOINLINE void aligned(void) {
    lose(aligned_alloc(64, 640)); // LEAK: 1 block, 640 bytes in aligned
    void *page = NULL;
    int failed = posix_memalign(&page, 4096, 5000); // LEAK: 1 block, 5000 bytes in aligned
    lose(failed ? NULL : page);
}

// libc allocates for the caller: its frames come first, the program's own after them.
static NOINLINE void copied(const char *text) {
    lose(strdup(text));     // LEAK: 1 block, 12 bytes in copied
    lose(strndup(text, 4)); // LEAK: 1 block, 5 bytes in copied
}

static NOINLINE void large(void) {
    lose(malloc(3u << 20)); // LEAK: 1 block, 3145728 bytes in large
}

INLINE void dissolved(size_t size) {
    lose(malloc(size)); // LEAK: 2 blocks, 154 bytes in inlined dissolved, called by inlining
}

static NOINLINE void inlining(void) {
    for (int i = 0; i < 2; i++)
        dissolved(77); // CALLER: inlining
}

static NOINLINE int descend(int depth) {
    if (depth == 0) {
        lose(malloc(33)); // LEAK: 1 block, 33 bytes in descend, called by descend
        return 0;
    }
    int below = descend(depth - 1); // CALLER: descend
    __asm__ volatile("" : "+r"(below));
    return below + 1;
}

static void *in_thread(void *unused) {
    for (int i = 0; i < 5; i++)
        lose(malloc(64)); // LEAK: 5 blocks, 320 bytes in in_thread
    return unused;
}

// After main, still before the report.
static void late(void) {
    lose(malloc(19)); // LEAK: 1 block, 19 bytes in late
}

int main(int argc, char **argv) {
    atexit(late);
    in_a_loop();
    first_caller();
    second_caller();
    grown_twice();
    shrunk();
    zeroed();
    resized_array();
    aligned();
    copied("hello world");
    large();
    inlining();
    descend(40);
    pthread_t thread;
    if (pthread_create(&thread, NULL, in_thread, NULL) != 0 || pthread_join(thread, NULL) != 0)
        return 99;
    printf("%s\n", clean ? "freed everything" : "leaked as planned");
    return argc > 2 ? atoi(argv[2]) : 0;
}
