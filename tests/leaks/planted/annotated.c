// Annotated for LeakSanitizer, whose functions are there when its run-time, or Heapsight, is.
//
// Usage: annotated STEP..., each of which is done in turn.

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline))

__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);
__attribute__((weak)) void __lsan_ignore_object(const void *block);
__attribute__((weak)) void __lsan_register_root_region(const void *start, size_t size);
__attribute__((weak)) void __lsan_unregister_root_region(const void *start, size_t size);
__attribute__((weak)) void __lsan_do_leak_check(void);
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);

static int is_off;

const char *__lsan_default_suppressions(void) {
    return "leak:known_leak\n";
}

int __lsan_is_turned_off(void) {
    return is_off;
}

// The compiler cannot see that nothing keeps the block.
static NOINLINE void lose(void *block) {
    __asm__ volatile("" : : "r"(block) : "memory");
}

// What is suppressed holds another block, which is none the worse for it.
static NOINLINE void known_leak(void) {
    void **block = calloc(1, 100);
    block[3] = strdup("held");
    lose(block);
}

static NOINLINE void leak(void) {
    lose(malloc(1000));
}

static NOINLINE void disabled(void) {
    __lsan_disable();
    __lsan_disable();
    void **block = calloc(1, 64);
    __lsan_enable();
    lose(malloc(65));
    __lsan_enable();
    block[0] = malloc(32);
    lose(block);
}

static NOINLINE void object(void) {
    void *block = malloc(48);
    __lsan_ignore_object(block);
    // In the middle of a block, of none at all: nothing happens.
    __lsan_ignore_object((char *)block + 8);
    __lsan_ignore_object(&block);
    __lsan_ignore_object(NULL);
    lose(block);
}

// Heapsight looks into no memory that nothing leads to, unless it is told to.
static NOINLINE void region(int is_kept) {
    void **map = aligned_alloc(4096, 4096);
    memset(map, 0, 4096);
    __lsan_register_root_region(map, 4096);
    map[7] = malloc(70);
    if (!is_kept)
        __lsan_unregister_root_region(map, 4096);
    lose(map);
}

// By every way to a block of 2 MiB and of half of it.
static NOINLINE void large(void) {
    size_t half = 1 << 20, whole = 2 * half;
    char *block = malloc(half), *aligned;
    void *blocks[] = {malloc(whole), calloc(2, half), aligned_alloc(64, whole), realloc(NULL, whole)};
    int failed = block == NULL;
    for (int i = 0; i < 4; i++) {
        failed += blocks[i] == NULL;
        free(blocks[i]);
    }
    strcpy(block, "kept");
    failed += posix_memalign((void **)&aligned, 64, whole) == ENOMEM;
    errno = 0;
    char *moved = realloc(block, whole);
    failed += moved == NULL && errno == ENOMEM;
    printf("failed: %d, %s\n", failed, moved ? moved : block);
    free(moved ? moved : block);
}

static NOINLINE void scrub(void) {
    char stack[16384];
    memset(stack, 0, sizeof stack);
    __asm__ volatile("" : : "r"(stack) : "memory");
}

static NOINLINE void step(const char *name) {
    if (strcmp(name, "known") == 0)
        known_leak();
    else if (strcmp(name, "leak") == 0)
        leak();
    else if (strcmp(name, "disabled") == 0)
        disabled();
    else if (strcmp(name, "object") == 0)
        object();
    else if (strcmp(name, "region") == 0)
        region(1);
    else if (strcmp(name, "no-region") == 0)
        region(0);
    else if (strcmp(name, "large") == 0)
        large();
    else if (strcmp(name, "off") == 0)
        is_off = 1;
    else if (strcmp(name, "check") == 0)
        __lsan_do_leak_check();
    else if (strcmp(name, "recoverable") == 0)
        printf("recoverable: %d\n", __lsan_do_recoverable_leak_check());
    else
        exit(99);
}

int main(int argc, char **argv) {
    setvbuf(stdout, NULL, _IONBF, 0);
    for (int i = 1; i < argc; i++) {
        step(argv[i]);
        scrub();
    }
    puts("end");
    return 0;
}
