// A thread waits in a signal handler on an alternate stack: that stack counts, and so does the
// stack that it was interrupted on.
#include "../plant.h"
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <sys/mman.h>

static sem_t ready;

static void handler(int number) {
    (void)number;
    void *volatile held = calloc(1, 180); // LEAK reachable 1 block 180 bytes
    scrub();
    sem_post(&ready);
    for (;;) {
        pause();
        seen((void *)&held);
    }
}

static void *waits(void *unused) {
    void *volatile below = calloc(1, 181); // LEAK reachable 1 block 181 bytes
    size_t size = 1 << 18;
    stack_t stack = {.ss_size = size};
    stack.ss_sp = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    sigaltstack(&stack, NULL);
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_ONSTACK};
    sigaction(SIGUSR1, &action, NULL);
    scrub();
    pthread_kill(pthread_self(), SIGUSR1);
    seen((void *)&below);
    return unused;
}

static void plant(void) {
    pthread_t thread;
    if (clean)
        return;
    sem_init(&ready, 0, 0);
    pthread_create(&thread, NULL, waits, NULL); // LIBRARY the thread's control block
    sem_wait(&ready);
}
