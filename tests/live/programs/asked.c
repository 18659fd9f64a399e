// A program that is asked while it runs. It plants a lost block and a lost cycle, keeps a list, says
// "ready", does what its first argument says until its standard input ends, and tells what it saw.

#define _GNU_SOURCE
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

struct node {
    struct node *next;
    char bytes[200];
};

static struct node *kept;
static struct node *grown;
static atomic_int stop;
static atomic_int urgent;
static atomic_int dead_children;

// The compiler takes it that somebody has looked at the memory.
static void look_at(void *memory) {
    __asm__ volatile("" : : "r"(memory) : "memory");
}

static __attribute__((noinline)) void leak_block(void) {
    char *volatile block = malloc(1000);
    memset(block, 1, 1000);
    look_at(block);
    block = NULL;
}

static __attribute__((noinline)) void leak_cycle(void) {
    struct node *volatile one = calloc(1, sizeof *one);
    struct node *volatile other = calloc(1, sizeof *other);
    one->next = other;
    other->next = one;
    look_at(one);
    one = other = NULL;
}

static __attribute__((noinline)) struct node *keep(struct node **list) {
    struct node *node = calloc(1, sizeof *node);
    node->next = *list;
    *list = node;
    return node;
}

// What calls have left on the stack goes.
static __attribute__((noinline)) void scrub(void) {
    char volatile words[16384];
    for (size_t i = 0; i < sizeof words; i++)
        words[i] = 0;
}

static void on_urgent(int signal) {
    urgent += signal == SIGURG;
}

static void on_child(int signal) {
    dead_children += signal == SIGCHLD;
}

static void nap(long milliseconds) {
    struct timespec left = {milliseconds / 1000, milliseconds % 1000 * 1000000};
    while (nanosleep(&left, &left) != 0 && errno == EINTR) {
    }
}

static void wait_for_end(void) {
    char byte;
    ssize_t got;
    while ((got = read(0, &byte, 1)) > 0) {
        for (int i = 0; byte == 'g' && i < 100; i++)
            keep(&grown);
        if (byte == 'g')
            putchar('d'), fflush(stdout);
    }
    printf("read=%zd\n", got);
    stop = 1;
}

static void *reader(void *unused) {
    wait_for_end();
    return unused;
}

// Blocks of many sizes come and go; none is lost.
static void *allocate(void *unused) {
    void *blocks[64] = {0};
    for (unsigned i = 0; !stop; i++) {
        free(blocks[i % 64]);
        blocks[i % 64] = malloc(16 + i * 37 % 3000);
    }
    for (int i = 0; i < 64; i++)
        free(blocks[i]);
    return unused;
}

static void handle(int signal, void (*handler)(int)) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART};
    sigaction(signal, &action, NULL);
}

static void work(const char *how) {
    pthread_t threads[8], other;
    if (!strcmp(how, "nap") || !strcmp(how, "spin") || !strcmp(how, "wait"))
        pthread_create(&other, NULL, reader, NULL);
    if (!strcmp(how, "nap")) {
        while (!stop)
            nap(200);
    } else if (!strcmp(how, "busy")) {
        for (int i = 0; i < 8; i++)
            pthread_create(&threads[i], NULL, allocate, NULL);
        wait_for_end();
        for (int i = 0; i < 8; i++)
            pthread_join(threads[i], NULL);
    } else if (!strcmp(how, "own")) {
        pthread_create(&threads[0], NULL, allocate, NULL);
        wait_for_end();
        pthread_join(threads[0], NULL);
    } else if (!strcmp(how, "spin")) {
        errno = 77;
        while (!stop) {
        }
        printf("errno=%d\n", errno);
    } else if (!strcmp(how, "wait")) {
        int seen = 0;
        while (!stop) {
            seen += waitpid(-1, NULL, WNOHANG) != -1 || errno != ECHILD;
            nap(1);
        }
        printf("seen=%d dead=%d\n", seen, dead_children);
    } else {
        wait_for_end();
    }
}

// May start no process. Root may always, so it is another user from here on.
static void limit(void) {
    struct rlimit none = {0, 0};
    setrlimit(RLIMIT_NPROC, &none);
    if (geteuid() == 0 && setuid(65534) != 0)
        exit(3);
}

int main(int count, char **arguments) {
    const char *how = count > 1 ? arguments[1] : "sleep";
    if (!strncmp(how, "own", 3))
        handle(SIGURG, on_urgent);
    handle(SIGCHLD, on_child);
    leak_block();
    leak_cycle();
    for (int i = 0; i < 10; i++)
        keep(&kept);
    void *block = malloc(5000);
    uintptr_t freed = (uintptr_t)block;
    free(block);
    scrub();
    if (!strcmp(how, "limited"))
        limit();
    printf("ready %p %#lx\n", (void *)kept->next, (unsigned long)freed);
    fflush(stdout);
    work(how);
    return 5;
}
