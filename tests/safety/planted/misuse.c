// One mistake with a block, or none:
//
//     misuse KIND ORIGIN SIZE [thread]
//
// ORIGIN says where the block comes from. With `thread` another thread frees it; the kinds whose
// name begins with `sized` free it by a function that is told its size, and which is not libc's.

#define _GNU_SOURCE
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))
#define BLOCKS 8

void c_free(void *block, size_t size) __attribute__((weak));
void *c_realloc(void *block, size_t size, size_t new_size) __attribute__((weak));
void free_sized(void *block, size_t size) __attribute__((weak));
void free_aligned_sized(void *block, size_t align, size_t size) __attribute__((weak));

static char in_the_program[64];
static int other_thread;
static volatile int sum;

// The compiler must not know what these pointers are.
static NOINLINE char *hidden(char *pointer) {
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

static NOINLINE char *allocate_it(const char *origin, size_t size) {
    if (strcmp(origin, "malloc") == 0)
        return hidden(malloc(size));
    if (strcmp(origin, "calloc") == 0)
        return hidden(calloc(1, size));
    if (strcmp(origin, "realloc") == 0)
        return hidden(realloc(malloc(size / 2 + 1), size));
    if (strcmp(origin, "aligned") == 0)
        return hidden(aligned_alloc(64, size));
    fprintf(stderr, "misuse: no origin %s\n", origin);
    exit(98);
}

// A block of no bytes, which is one all the same.
static NOINLINE char *allocate_empty(const char *origin) {
    if (strcmp(origin, "realloc") == 0)
        return hidden(realloc(NULL, 0));
    return allocate_it(origin, 0);
}

static NOINLINE void *free_it(void *block) {
    free(block);
    return hidden(NULL);
}

static NOINLINE void free_in_turn(char *block) {
    pthread_t thread;
    if (other_thread && pthread_create(&thread, NULL, free_it, block) == 0)
        pthread_join(thread, NULL);
    else
        free_it(block);
}

struct sized {
    char *block;
    size_t size;
    int is_aligned;
};

static NOINLINE void *free_by_size(void *argument) {
    struct sized it = *(struct sized *)argument;
    if (it.is_aligned)
        free_aligned_sized(it.block, 64, it.size);
    else if (it.size % 2)
        c_free(it.block, it.size);
    else
        free_sized(it.block, it.size);
    return hidden(NULL);
}

static NOINLINE void free_sized_in_turn(char *block, size_t size, int is_aligned) {
    struct sized it = {block, size, is_aligned};
    pthread_t thread;
    if (other_thread && pthread_create(&thread, NULL, free_by_size, &it) == 0)
        pthread_join(thread, NULL);
    else
        free_by_size(&it);
}

static NOINLINE void free_again(char *block) {
    free(hidden(block));
    hidden(NULL);
}

static NOINLINE void write_it(char *at, size_t count, int value) {
    for (size_t i = 0; i < count; i++)
        hidden(at)[i] = (char)value;
}

static NOINLINE void read_it(const char *at, size_t count) {
    for (size_t i = 0; i < count; i++)
        sum += *(volatile const char *)hidden((char *)at + i);
}

// A pointer that the program reads from a block, and follows.
static NOINLINE void follow_it(char *block) {
    char *next;
    memcpy(&next, hidden(block), sizeof next);
    write_it(next, 1, 'y');
}

static NOINLINE int misuse(const char *kind, char *block, size_t size, const char *origin) {
    int is_aligned = strcmp(origin, "aligned") == 0;
    int is(const char *name) { return strcmp(kind, name) == 0; }
    write_it(block, size, 'x');
    if (is("none")) {
        block = realloc(block, size + 1);
        write_it(block, size + 1, 'y');
        free_in_turn(block);
    } else if (is("overflow-1")) {
        write_it(block + size, 1, 'y');
        free_in_turn(block);
    } else if (is("overflow-nul")) {
        write_it(block + size, 1, 0);
        free_in_turn(block);
    } else if (is("overflow-8")) {
        write_it(block + size, 8, 'y');
        free_in_turn(block);
    } else if (is("overflow-copy")) {
        char *source = calloc(1, size + 4);
        memcpy(hidden(block), source, size + 4);
        free(source);
        free_in_turn(block);
    } else if (is("overflow-unfreed")) {
        write_it(block + size, 1, 'y');
    } else if (is("overflow-read")) {
        read_it(block + size, 64);
        free_in_turn(block);
    } else if (is("overflow-shrunk")) {
        block = hidden(realloc(block, size / 2 + 1));
        write_it(block, size / 2 + 2, 'y');
        free_in_turn(block);
    } else if (is("overflow-realloc")) {
        write_it(block + size, 1, 'y');
        free(realloc(block, size * 2));
    } else if (is("underflow-1")) {
        write_it(block - 1, 1, 'y');
        free_in_turn(block);
    } else if (is("underflow-8")) {
        write_it(block - 8, 8, 'y');
        free_in_turn(block);
    } else if (is("underflow-read")) {
        read_it(block - 16, 16);
        free_in_turn(block);
    } else if (is("write-after-free")) {
        free_in_turn(block);
        write_it(block, 1, 'y');
    } else if (is("write-after-realloc")) {
        char *moved = hidden(realloc(block, size / 4 + 1));
        write_it(hidden(block), 1, 'y');
        free(moved);
    } else if (is("read-after-free")) {
        free_in_turn(block);
        read_it(block + size / 2, 1);
    } else if (is("follow-after-free")) {
        free_in_turn(block);
        follow_it(block);
    } else if (is("follow-fresh")) {
        follow_it(hidden(malloc(size)));
    } else if (is("write-after-free-end")) {
        free_in_turn(block);
        write_it(block + size - 1, 1, 'y');
    } else if (is("double-free")) {
        free_in_turn(block);
        free_again(block);
    } else if (is("double-free-later")) {
        free_in_turn(block);
        for (int i = 0; i < 100; i++)
            free(hidden(malloc(size)));
        free_again(block);
    } else if (is("free-inside")) {
        free_again(block + 16);
    } else if (is("free-off-by-1")) {
        free_again(block + 1);
    } else if (is("free-before")) {
        free_again(block - 16);
    } else if (is("free-stack")) {
        char in_the_frame[64];
        free_again(in_the_frame);
    } else if (is("free-static")) {
        free_again(in_the_program);
    } else if (is("sized")) {
        free_sized_in_turn(block, size, is_aligned);
        // Smaller ones may stay where they were, in memory of another size.
        for (size_t smaller = size; smaller > 1; smaller -= smaller / 3 + 1) {
            block = hidden(realloc(malloc(size), smaller));
            free_sized_in_turn(block, smaller, 0);
            block = hidden(c_realloc(malloc(size), size, smaller));
            free_sized_in_turn(hidden(c_realloc(block, smaller, size)), size, 0);
        }
        free_sized_in_turn(hidden(malloc(0)), 0, 0);
    } else if (is("sized-off-by-1")) {
        free_sized_in_turn(block, size + 1, is_aligned);
    } else if (is("sized-too-large")) {
        free_sized_in_turn(block, size * 2 + 100, is_aligned);
    } else if (is("sized-too-small")) {
        free_sized_in_turn(block, size / 4 + 1, is_aligned);
    } else if (is("sized-realloc")) {
        free(hidden(c_realloc(block, size * 2 + 100, size)));
    } else if (is("sized-align")) {
        free_aligned_sized(block, 1 << 20, size);
    } else if (is("empty")) {
        char *empty = allocate_empty(origin), *other = allocate_empty(origin);
        if (empty == NULL || empty == other || (uintptr_t)empty % 16 != 0)
            return 95;
        memset(hidden(empty), 'x', 0);
        empty = realloc(empty, size);
        write_it(empty, size, 'x');
        free_in_turn(empty);
        free_in_turn(other);
    } else if (is("empty-write")) {
        char *empty = allocate_empty(origin);
        write_it(empty, 1, 'y');
        free_in_turn(empty);
    } else if (is("empty-read")) {
        char *empty = allocate_empty(origin);
        read_it(empty, 1);
        free_in_turn(empty);
    } else if (is("realloc-after-free")) {
        free_in_turn(block);
        hidden(realloc(block, size * 2));
    } else if (is("realloc-inside")) {
        hidden(realloc(hidden(block + 16), size * 2));
    } else {
        return 97;
    }
    return 0;
}

int main(int argc, char **argv) {
    if (argc < 4) {
        fprintf(stderr, "usage: misuse KIND ORIGIN SIZE [thread]\n");
        return 96;
    }
    size_t size = strtoul(argv[3], NULL, 10);
    other_thread = argc > 4;
    // Of neighbours the last, so that there is one before it.
    char *blocks[BLOCKS], *last = NULL;
    for (int i = 0; i < BLOCKS; i++) {
        blocks[i] = allocate_it(argv[2], size);
        last = blocks[i] > last ? blocks[i] : last;
    }
    int code = misuse(argv[1], last, size, argv[2]);
    for (int i = 0; i < BLOCKS; i++)
        if (blocks[i] != last)
            free(blocks[i]);
    return code;
}
