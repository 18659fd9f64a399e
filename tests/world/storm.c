// Threads come and go while leaks are looked for, over and over. Everything is held by somebody:
// a check that finds a lost block, or that never comes back, is wrong.
//
// Usage: storm CHECKS CHECKERS PARKED MASKED [fork] [sealed] [exit]
//   CHECKS    checks that each of CHECKERS threads asks for, at once
//   PARKED    threads that wait in a system call, holding a block on their stack alone
//   MASKED    as those, with all signals blocked
//   fork      forks meanwhile, and checks in the child
//   sealed    is not dumpable, and may call neither ptrace nor process_vm_readv
//   exit      a thread that is not the first one ends the process

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BYTES = 100, STORM = 4 };

static uint64_t (*check)(void);
static int checks, is_over;
static pthread_barrier_t begin;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *what) {
    fprintf(stderr, "storm: %s\n", what);
    exit(2);
}

// Takes what it is given out of sight of everyone else, and gives it back.
static void *carry(void *block) {
    sched_yield();
    return block;
}

// Each block is in turn an argument on its way, a thread's only variable, and its result.
static void *storm(void *unused) {
    (void)unused;
    while (!__atomic_load_n(&is_over, __ATOMIC_RELAXED)) {
        pthread_t thread;
        int error = pthread_create(&thread, NULL, carry, malloc(BYTES));
        if (error != 0)
            fail(strerror(error));
        void *block;
        pthread_join(thread, &block);
        free(block);
    }
    return NULL;
}

static void hold_block(int signals) {
    sigset_t all;
    sigfillset(&all);
    if (!signals)
        pthread_sigmask(SIG_SETMASK, &all, NULL);
    char *volatile block = malloc(BYTES);
    block[0] = 1;
    pthread_barrier_wait(&begin);
    pthread_mutex_lock(&gate);
    pthread_mutex_unlock(&gate);
    free(block);
}

static void *parked(void *unused) {
    (void)unused;
    hold_block(1);
    return NULL;
}

static void *masked(void *unused) {
    (void)unused;
    hold_block(0);
    return NULL;
}

static void *checker(void *result) {
    uint64_t lost = 0;
    for (int i = 0; i < checks; i++)
        lost += check();
    *(uint64_t *)result = lost;
    return NULL;
}

static void fork_and_check(void) {
    pid_t child = fork();
    if (child < 0)
        fail("fork");
    if (child == 0) {
        check();
        _exit(0);
    }
    int status;
    if (waitpid(child, &status, 0) != child || status != 0)
        fail("the child did not end well");
}

static void *ending(void *unused) {
    (void)unused;
    exit(0);
}

// What a strict container refuses.
static void seal(void) {
    struct sock_filter rules[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ptrace, 1, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_process_vm_readv, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof rules / sizeof *rules, rules};
    if (prctl(PR_SET_DUMPABLE, 0) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
        prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
        fail("seccomp");
}

static int wants(int count, char **words, const char *word) {
    for (int i = 5; i < count; i++)
        if (strcmp(words[i], word) == 0)
            return 1;
    return 0;
}

int main(int count, char **words) {
    if (count < 5)
        fail("storm CHECKS CHECKERS PARKED MASKED [fork] [sealed] [exit]");
    checks = atoi(words[1]);
    int checkers = atoi(words[2]), waiting = atoi(words[3]), deaf = atoi(words[4]);
    *(void **)&check = dlsym(RTLD_DEFAULT, "heapsight_check_for_leaks");
    if (check == NULL)
        fail("not running under libheapsight.so");
    if (wants(count, words, "sealed"))
        seal();

    pthread_barrier_init(&begin, NULL, waiting + deaf + 1);
    pthread_mutex_lock(&gate);
    pthread_t *threads = calloc(waiting + deaf + STORM + checkers, sizeof *threads);
    uint64_t *lost = calloc(checkers, sizeof *lost);
    int made = 0;
    for (int i = 0; i < waiting; i++)
        pthread_create(&threads[made++], NULL, parked, NULL);
    for (int i = 0; i < deaf; i++)
        pthread_create(&threads[made++], NULL, masked, NULL);
    pthread_barrier_wait(&begin);
    for (int i = 0; i < STORM; i++)
        pthread_create(&threads[made++], NULL, storm, NULL);
    for (int i = 0; i < checkers; i++)
        pthread_create(&threads[made + i], NULL, checker, &lost[i]);
    if (wants(count, words, "fork"))
        for (int i = 0; i < checks; i++)
            fork_and_check();
    uint64_t sum = 0;
    for (int i = 0; i < checkers; i++) {
        pthread_join(threads[made + i], NULL);
        sum += lost[i];
    }
    if (wants(count, words, "exit")) {
        pthread_create(&threads[made], NULL, ending, NULL);
        for (;;)
            pause();
    }
    __atomic_store_n(&is_over, 1, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < made; i++)
        pthread_join(threads[i], NULL);
    free(lost);
    free(threads);
    printf("%llu lost\n", (unsigned long long)sum);
    return 0;
}
