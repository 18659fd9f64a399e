// A pointer that only a register of a running thread has.
#include "../plant.h"
#include <pthread.h>

static void *volatile mailbox;

static void *runs(void *unused) {
    scrub();
    // Takes the pointer out of the mailbox and never puts it anywhere.
    __asm__ volatile("1: xor %%r12d, %%r12d; xchg %%r12, %0; test %%r12, %%r12; jz 1b;"
                     "2: pause; test %%r12, %%r12; jnz 2b"
                     : "+m"(mailbox)
                     :
                     : "r12", "memory", "cc");
    return unused;
}

static void plant(void) {
    pthread_t thread;
    if (clean)
        return;
    pthread_create(&thread, NULL, runs, NULL); // LIBRARY the thread's control block
    mailbox = calloc(1, 140); // LEAK reachable 1 block 140 bytes held by registers
    while (mailbox)
        usleep(1000);
}
