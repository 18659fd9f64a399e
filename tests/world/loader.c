// Forks while another thread is inside the dynamic loader, which then is locked for ever in the
// child, and looks for leaks there: a check that asks the loader never comes back.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t inside, forked;

static int stay(struct dl_phdr_info *info, size_t size, void *unused) {
    (void)info, (void)size, (void)unused;
    pthread_barrier_wait(&inside);
    pthread_barrier_wait(&forked);
    return 1;
}

static void *ask_loader(void *unused) {
    dl_iterate_phdr(stay, NULL);
    return unused;
}

int main(void) {
    uint64_t (*check)(void);
    *(void **)&check = dlsym(RTLD_DEFAULT, "heapsight_check_for_leaks");
    pthread_barrier_init(&inside, NULL, 2);
    pthread_barrier_init(&forked, NULL, 2);
    pthread_t thread;
    pthread_create(&thread, NULL, ask_loader, NULL);
    pthread_barrier_wait(&inside);
    pid_t child = fork();
    if (child == 0) {
        uint64_t lost = check();
        printf("%d lost\n", (int)lost);
        fflush(stdout);
        exit(0);
    }
    int status;
    waitpid(child, &status, 0);
    pthread_barrier_wait(&forked);
    pthread_join(thread, NULL);
    return status != 0;
}
