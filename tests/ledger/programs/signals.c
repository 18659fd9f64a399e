// Threads that allocate, free and check their blocks while signals come in as fast as they can.
//
// Usage: signals [OWN]   With OWN it has a handler of its own for SIGUSR1 before Heapsight is asked,
//                        by these options, to have one.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define THREADS 3
#define SIGNALS 20000
#define SLOTS 300

// As in heapsight.h.
struct config {
    const char *options;
};

static atomic_int ended, handled;

static void handle(int number) {
    (void)number;
    handled++;
}

static void check(int is_right, const char *what) {
    if (!is_right) {
        if (write(2, what, strlen(what)) < 0)
            _exit(2);
        _exit(1);
    }
}

__attribute__((noinline)) static char *filled(size_t size, char value) {
    char *block = malloc(size);
    memset(block, value, size);
    return block;
}

static void *work(void *argument) {
    char value = (char)(intptr_t)argument;
    char *blocks[SLOTS] = {0};
    size_t sizes[SLOTS] = {0};
    uint32_t state = (uint32_t)value;
    while (!ended) {
        state = state * 1664525 + 1013904223;
        uint32_t slot = (state >> 8) % SLOTS;
        for (size_t i = 0; i < sizes[slot]; i++)
            check(blocks[slot][i] == value, "a block has changed\n");
        errno = 7000;
        free(blocks[slot]);
        check(errno == 7000, "errno has changed\n");
        sizes[slot] = (state >> 16) % 3000 + 1;
        blocks[slot] = filled(sizes[slot], value);
    }
    for (int i = 0; i < SLOTS; i++)
        free(blocks[i]);
    return NULL;
}

int main(int argc, char **argv) {
    pthread_t threads[THREADS];
    int is_own = argc > 1;
    if (is_own) {
        bool (*init)(struct config *);
        *(void **)&init = dlsym(RTLD_DEFAULT, "heapsight_init");
        signal(SIGUSR1, handle);
        struct config config = {argv[1]};
        check(init(&config), "the options are wrong\n");
    }
    for (intptr_t i = 0; i < THREADS; i++)
        pthread_create(&threads[i], NULL, work, (void *)(i + 1));
    for (int i = 0; i < SIGNALS; i++)
        pthread_kill(threads[i % THREADS], SIGUSR1);
    ended = 1;
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    check(!is_own || handled > 0, "the program's own handler is gone\n");
    size_t (*contradictions)(void);
    *(void **)&contradictions = dlsym(RTLD_DEFAULT, "heapsight_check_heap");
    check(contradictions() == 0, "the heap is damaged\n");
    return 0;
}
