// Mistakes that hit the heap's own data, or come when it is least ready:
//
//     hostile KIND

#define _GNU_SOURCE
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone))

static NOINLINE char *hidden(char *pointer) {
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

static NOINLINE void *misuse_freed(void *block) {
    free(block);
    *(volatile char *)hidden(block) = 'y';
    return NULL;
}

static char *blocks[4096];

// Over the edge, over canaries, neighbours and what is free.
static NOINLINE void flood(size_t size, size_t len, int value) {
    for (int i = 0; i < 4096; i++)
        blocks[i] = malloc(size);
    for (int i = 0; i < 4096; i += 2) {
        free(blocks[i]);
        blocks[i] = NULL;
    }
    char *from = NULL;
    for (int i = 1; i < 4096; i += 2)
        if (!from || blocks[i] < from)
            from = blocks[i];
    memset(hidden(from), value, len);
    for (int turn = 0; turn < 100000; turn++) {
        char *block = malloc(size);
        block[0] = 1;
        free(hidden(block));
    }
    for (int i = 1; i < 4096; i += 2)
        free(blocks[i]);
}

// Into what free blocks hold of the heap's own, in the order of their lists.
static NOINLINE void relink(size_t at) {
    for (int i = 0; i < 4096; i++)
        blocks[i] = malloc(48);
    for (int i = 0; i < 4096; i += 2)
        free(blocks[i]);
    for (int i = 0; i < 4096; i += 2)
        memset(hidden(blocks[i]) + at, 0x41, 8);
    for (int i = 0; i < 4096; i += 2)
        blocks[i] = malloc(48);
    for (int i = 0; i < 4096; i++)
        blocks[i][0] = 1;
    printf("done\n");
}

static sigjmp_buf back;
static volatile int handled;

static void on_fault(int number) {
    handled++;
    siglongjmp(back, 1);
}

int main(int argc, char **argv) {
    const char *kind = argc > 1 ? argv[1] : "";
    if (strcmp(kind, "flood") == 0) {
        flood(48, 3000, 0x41);
    } else if (strcmp(kind, "flood-zero") == 0) {
        flood(100, 3000, 0);
    } else if (strcmp(kind, "flood-far") == 0) {
        flood(32, 60000, 0xff);
    } else if (strcmp(kind, "link") == 0) {
        relink(0);
    } else if (strcmp(kind, "key") == 0) {
        relink(8);
    } else if (strcmp(kind, "two-threads") == 0) {
        pthread_t threads[2];
        for (int i = 0; i < 2; i++)
            pthread_create(&threads[i], NULL, misuse_freed, malloc(2000000));
        for (int i = 0; i < 2; i++)
            pthread_join(threads[i], NULL);
    } else if (strcmp(kind, "handler") == 0) {
        // A program that handles its own faults, and makes none with the heap.
        signal(SIGSEGV, on_fault);
        for (volatile int i = 0; i < 3; i++)
            if (sigsetjmp(back, 1) == 0)
                *(volatile int *)hidden(NULL) = 1;
        printf("%d handled\n", handled);
    } else if (strcmp(kind, "handler-heap") == 0) {
        // And one that makes one.
        signal(SIGSEGV, on_fault);
        char *block = malloc(2000000);
        free(block);
        if (sigsetjmp(back, 1) == 0)
            *(volatile char *)hidden(block) = 1;
        printf("%d handled\n", handled);
    } else if (strcmp(kind, "report") == 0) {
        char *block = malloc(24);
        hidden(block)[24] = 'y';
        free(block);
        free(hidden(block));
        free(hidden((char *)&back));
        block = malloc(2000000);
        free(block);
        *(volatile char *)hidden(block) = 1;
        printf("done\n");
    } else if (strcmp(kind, "null") == 0) {
        *(volatile int *)hidden(NULL) = 1;
    } else {
        return 97;
    }
    return 0;
}
