/* Stress for a malloc family: threads, remote free, realloc, alignment, calloc, fork.

   Blocks of 1 byte to 2 MiB are allocated, resized, handed from thread to thread and freed, their
   contents checked at every step. Work is cut into phases; between phases every thread is parked,
   the whole heap is checked (when the allocator has a checker) and a child is forked. Every second
   phase the threads end and others inherit their blocks. In the middle of phases children are
   forked while the other threads keep allocating.

   With --short-threads N, N threads live and die instead, a few at a time, and the memory held
   after all of them is compared with the memory held after the first few.

   The program calls the family by its plain names and runs on whatever allocator is preloaded. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared.h"
#include "worker.h"

enum { PHASES = 16, SHORT_OPERATIONS = 2000 };

static struct options {
    unsigned long threads, operations, seed, forks, short_threads, rss_factor;
} options = { 4, 1000000, 1, 16, 0, 2 };

static struct worker workers[WORKERS_MAX];
static pthread_barrier_t parked, resumed;

/* What one thread does in one life. */
struct life {
    size_t worker;
    unsigned long first_phase, last_phase;
};

static void start(pthread_t *thread, void *(*run)(void *), void *argument)
{
    int error = pthread_create(thread, NULL, run, argument);
    if (error != 0)
        fail("pthread_create: %s", strerror(error));
}

static void join(pthread_t thread)
{
    int error = pthread_join(thread, NULL);
    if (error != 0)
        fail("pthread_join: %s", strerror(error));
}

/* One thread's part of one phase, with its part of the forks in between: all parts of all phases
   are numbered, and the forks dealt out evenly over the numbers. */
static void run_phase(size_t index, unsigned long phase)
{
    unsigned long operations = options.operations / options.threads / PHASES;
    unsigned long parts = options.threads * PHASES;
    unsigned long part = phase * options.threads + index;
    unsigned long forks = (part + 1) * options.forks / parts - part * options.forks / parts;
    unsigned long step = operations / (forks + 1);
    for (unsigned long fork = 0; fork < forks; fork++) {
        worker_run(&workers[index], step);
        worker_fork(&workers[index], 0);
    }
    worker_run(&workers[index], operations - forks * step);
}

static void *live(void *argument)
{
    const struct life *life = argument;
    for (unsigned long phase = life->first_phase; phase <= life->last_phase; phase++) {
        run_phase(life->worker, phase);
        pthread_barrier_wait(&parked);
        pthread_barrier_wait(&resumed);
    }
    return NULL;
}

/* Two phases per life of the threads; the blocks go on to the next life. Returns how often the
   whole heap was checked. */
static unsigned long run_phases(void)
{
    unsigned long checks = 0;
    pthread_barrier_init(&parked, NULL, options.threads + 1);
    pthread_barrier_init(&resumed, NULL, options.threads + 1);
    for (unsigned long phase = 0; phase < PHASES; phase += 2) {
        pthread_t threads[WORKERS_MAX];
        struct life lives[WORKERS_MAX];
        for (size_t index = 0; index < options.threads; index++) {
            lives[index] = (struct life){ index, phase, phase + 1 };
            start(&threads[index], live, &lives[index]);
        }
        for (unsigned long part = 0; part < 2; part++) {
            pthread_barrier_wait(&parked);
            checks += check_heap("while the threads were parked");
            if (part == 0 && options.forks != 0)
                worker_fork(&workers[phase % options.threads], 1);
            pthread_barrier_wait(&resumed);
        }
        for (size_t index = 0; index < options.threads; index++)
            join(threads[index]);
        checks += check_heap("after the threads ended");
    }
    return checks;
}

static void *live_briefly(void *argument)
{
    struct worker *worker = argument;
    worker_run(worker, SHORT_OPERATIONS);
    /* Half the blocks outlive the thread in the shared slots, or by a later worker's hands. */
    worker_release(worker, 1);
    for (size_t slot = 0; slot < WORKER_SLOTS; slot++)
        shared_swap(random_below(&worker->random, SHARED_SLOTS), &worker->slots[slot]);
    return NULL;
}

/* Resident bytes, read without allocating. */
static unsigned long resident(void)
{
    char text[128] = { 0 };
    int file = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
    if (file < 0 || read(file, text, sizeof text - 1) <= 0)
        fail("/proc/self/statm: %s", strerror(errno));
    close(file);
    unsigned long pages = 0;
    if (sscanf(text, "%*u %lu", &pages) != 1)
        fail("/proc/self/statm does not hold the resident pages: %s", text);
    return pages * (unsigned long)sysconf(_SC_PAGESIZE);
}

/* Frees everything, asks for the memory back and tells what is still resident. */
static unsigned long resident_when_empty(void)
{
    shared_drain();
    for (size_t index = 0; index < WORKERS_MAX; index++)
        worker_release(&workers[index], 0);
    malloc_trim(0);
    return resident();
}

static void run_short_threads(void)
{
    unsigned long first = 0, last = 0, started = 0;
    while (started < options.short_threads) {
        pthread_t threads[WORKERS_MAX];
        for (size_t index = 0; index < options.threads; index++)
            start(&threads[index], live_briefly, &workers[index]);
        for (size_t index = 0; index < options.threads; index++)
            join(threads[index]);
        started += options.threads;
        if (first == 0)
            first = resident_when_empty();
    }
    last = resident_when_empty();
    check_heap("after all short threads ended");
    printf("resident after %lu threads %lu KiB, after %lu threads %lu KiB\n", options.threads,
           first >> 10, started, last >> 10);
    if (options.rss_factor != 0 && last > options.rss_factor * first)
        fail("%lu threads left more than %lu times the memory of %lu threads", started,
             options.rss_factor, options.threads);
}

static void parse(int count, char **words)
{
    const struct {
        const char *name;
        unsigned long *value, max;
    } table[] = {
        { "--threads", &options.threads, WORKERS_MAX },
        { "--ops", &options.operations, 1000000000000 },
        { "--seed", &options.seed, 1000000000000 },
        { "--fork", &options.forks, 100000 },
        { "--short-threads", &options.short_threads, 1000000 },
        { "--rss-factor", &options.rss_factor, 1000 },
    };
    const size_t rows = sizeof table / sizeof table[0];
    for (int word = 1; word < count; word += 2) {
        size_t row = 0;
        while (row < rows && strcmp(words[word], table[row].name) != 0)
            row++;
        char *end = NULL;
        unsigned long value = word + 1 < count ? strtoul(words[word + 1], &end, 10) : 0;
        if (row == rows || end == NULL || *end != '\0' || value > table[row].max) {
            fprintf(stderr, "stress: cannot use %s %s; usage: stress [--threads 1..64] [--ops N] "
                            "[--seed N] [--fork N] [--short-threads N] [--rss-factor N, 0 = any]\n",
                    words[word], word + 1 < count ? words[word + 1] : "");
            exit(2);
        }
        *table[row].value = value;
    }
    if (options.threads == 0)
        options.threads = 1;
}

int main(int count, char **words)
{
    parse(count, words);
    for (size_t index = 0; index < WORKERS_MAX; index++)
        workers[index].random = random_new(options.seed * WORKERS_MAX + index);
    if (options.short_threads != 0) {
        run_short_threads();
        printf("clean\n");
        return 0;
    }
    unsigned long checks = run_phases();
    unsigned long operations = 0;
    for (size_t index = 0; index < options.threads; index++)
        operations += workers[index].operations;
    unsigned long held = resident();
    unsigned long empty = resident_when_empty();
    checks += check_heap("when everything was freed");
    printf("%lu operations in %lu threads, %lu forks, %lu heap checks, resident %lu KiB, empty %lu "
           "KiB: clean\n",
           operations, options.threads, options.forks ? options.forks + PHASES / 2 : 0, checks,
           held >> 10, empty >> 10);
    return 0;
}
