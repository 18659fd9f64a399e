/* Every instruction of some code of the C library, the loader and this file: the processor traps
   after each, and the handler calls the hook. */
#define _GNU_SOURCE
#include "walk.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>

static void (*hook)(void);
static long budget, steps;

enum { TRAP_FLAG = 0x100 };

static void trapped(int number, siginfo_t *info, void *context) {
    (void)number, (void)info;
    if (steps < budget) {
        steps++;
        hook();
    } else {
        ((ucontext_t *)context)->uc_mcontext.gregs[REG_EFL] &= ~TRAP_FLAG;
    }
}

static int compare(const void *left, const void *right) {
    return *(const int *)left - *(const int *)right;
}

/* Of a function that aligns its stack, gcc 12 without optimisation describes the epilogue so wrongly
   that the platform's unwinder reads where nothing is. */
#if defined __OPTIMIZE__ || defined MISDESCRIBED
#define ALIGNED _Alignas(64)
#else
#define ALIGNED
#endif

__attribute__((noinline)) static double work(int seed) {
    ALIGNED char text[200];
    int numbers[9];
    for (int i = 0; i < 9; i++)
        numbers[i] = (seed * 7 + i * 5) % 11;
    qsort(numbers, 9, sizeof *numbers, compare);
    snprintf(text, sizeof text, "%d %.3f %s", numbers[seed % 9], seed / 3.0, "text");
    double value = strtod(text + 2, NULL);
    void *block = malloc(strlen(text) + (size_t)seed);
    memset(block, seed, strlen(text));
    block = realloc(block, 3000);
    free(block);
    return value + atoi(text);
}

/* Traps after each instruction until `most` have been executed, or the work is done. */
long stepping_run(void (*called)(void), long most, int seed) {
    hook = called;
    budget = most;
    steps = 0;
    struct sigaction action = {.sa_sigaction = trapped, .sa_flags = SA_SIGINFO}, before;
    sigaction(SIGTRAP, &action, &before);
    __asm__ volatile("sub $128, %%rsp\n pushfq\n orq $0x100, (%%rsp)\n popfq\n add $128, %%rsp"
                     : : : "memory", "cc");
    volatile double value = work(seed);
    (void)value;
    __asm__ volatile("sub $128, %%rsp\n pushfq\n andq $~0x100, (%%rsp)\n popfq\n add $128, %%rsp"
                     : : : "memory", "cc");
    sigaction(SIGTRAP, &before, NULL);
    return steps;
}
