// Allocates, resizes and frees in known functions, and logs each operation as it begins and as it
// ends, by one write each: whatever kills the program, the log says what had been done.
//
// Usage: steps LOG THREADS STEPS ENDING     ENDING is one of: return, _exit, abort

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define SLOTS 256
#define STEP __attribute__((noinline))

// What `replay.rs` reads.
struct record {
    uint8_t thread, is_end, operation, site;
    uint32_t size;
    uint32_t old_site, old_size;
};

enum operation { ALLOCATE, FREE, RESIZE };

// The head of each block: what it takes to log its end.
struct block {
    uint32_t site, size;
};

static int file;
static long steps;
static const char *ending;
static _Atomic(struct block *) slots[SLOTS];

// Sites 0 to 3. Each has something to do after the call, so that none is a tail call.
STEP static struct block *small(uint32_t size) {
    struct block *block = malloc(size);
    block->site = 0;
    return block;
}

STEP static struct block *zeroed(uint32_t size) {
    struct block *block = calloc(1, size);
    block->site = 1;
    return block;
}

STEP static struct block *large(uint32_t size) {
    struct block *block = malloc(size);
    block->site = 2;
    return block;
}

STEP static struct block *resized(struct block *block, uint32_t size) {
    block = realloc(block, size);
    block->site = 3;
    return block;
}

static void log_record(struct record record) {
    if (write(file, &record, sizeof record) != sizeof record)
        _exit(9);
}

static uint32_t next(uint32_t *state) {
    *state = *state * 1664525 + 1013904223;
    return *state >> 8;
}

static struct block *allocate(struct record record) {
    struct block *block = record.site == 0   ? small(record.size)
                          : record.site == 1 ? zeroed(record.size)
                                             : large(record.size);
    block->size = record.size;
    return block;
}

// One operation on one slot, whoever has filled it.
static void step(uint8_t thread, uint32_t *state) {
    uint32_t slot = next(state) % SLOTS, choice = next(state) % 16;
    struct block *block = atomic_exchange(&slots[slot], NULL);
    struct record record = {.thread = thread};
    if (block == NULL) {
        record.operation = ALLOCATE;
        record.site = choice == 0 ? 2 : choice % 2;
        record.size = record.site == 2 ? 300000 + next(state) % 100000 : 16 + next(state) % 2000;
    } else {
        record.operation = choice < 4 ? RESIZE : FREE;
        record.old_site = block->site;
        record.old_size = block->size;
        record.site = 3;
        record.size = 16 + next(state) % 5000;
    }
    log_record(record);
    if (record.operation == ALLOCATE) {
        block = allocate(record);
    } else if (record.operation == RESIZE) {
        block = resized(block, record.size);
        block->size = record.size;
    } else {
        free(block);
        block = NULL;
    }
    record.is_end = 1;
    log_record(record);
    // What another thread has put there meanwhile stays in use, and nobody knows it any more.
    if (block != NULL)
        atomic_store(&slots[slot], block);
}

static void *work(void *argument) {
    uint8_t thread = (uint8_t)(uintptr_t)argument;
    uint32_t state = thread + 1;
    for (long i = 0; i < steps; i++)
        step(thread, &state);
    if (strcmp(ending, "_exit") == 0)
        _exit(3);
    if (strcmp(ending, "abort") == 0)
        abort();
    return NULL;
}

int main(int argc, char **argv) {
    if (argc != 5)
        return 2;
    file = open(argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
    long threads = atol(argv[2]);
    steps = atol(argv[3]);
    ending = argv[4];
    pthread_t others[16];
    for (long i = 1; i < threads; i++)
        pthread_create(&others[i], NULL, work, (void *)i);
    work(NULL);
    for (long i = 1; i < threads; i++)
        pthread_join(others[i], NULL);
    return 0;
}
