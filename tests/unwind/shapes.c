/* Stack frames of many shapes. Compiled at several levels of optimisation. */
#define _GNU_SOURCE
#include "walk.h"

#include <alloca.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

#define SHAPE __attribute__((noinline)) static void

/* So that the compiler knows nothing of what is behind an address. */
#define KEEP(address) __asm__ volatile("" : : "r"(address) : "memory")

SHAPE small(struct walk *walk, int depth) {
    walk_body(walk, depth);
}

SHAPE tail(struct walk *walk, int depth) {
    if (walk_random(walk) % 2)
        walk_hook(walk);
    small(walk, depth);
}

SHAPE large(struct walk *walk, int depth) {
    char bytes[5000];
    KEEP(bytes);
    walk_body(walk, depth);
    KEEP(bytes);
}

SHAPE huge(struct walk *walk, int depth) {
    char bytes[40000];
    KEEP(bytes);
    walk_body(walk, depth);
    KEEP(bytes);
}

SHAPE dynamic(struct walk *walk, int depth) {
    char *bytes = alloca(walk_random(walk) % 2000 + 1);
    KEEP(bytes);
    walk_body(walk, depth);
    KEEP(bytes);
}

SHAPE variable(struct walk *walk, int depth) {
    for (int i = 0; i < 2; i++) {
        char bytes[walk_random(walk) % 300 + 1];
        KEEP(bytes);
        walk_body(walk, depth - i);
        KEEP(bytes);
    }
}

SHAPE aligned(struct walk *walk, int depth) {
    _Alignas(64) char bytes[128];
    KEEP(bytes);
    walk_body(walk, depth);
    KEEP(bytes);
}

SHAPE aligned_dynamic(struct walk *walk, int depth) {
    _Alignas(256) char bytes[64];
    char *more = alloca(walk_random(walk) % 500 + 1);
    KEEP(bytes);
    KEEP(more);
    walk_body(walk, depth);
    KEEP(bytes);
    KEEP(more);
}

__attribute__((noinline)) static long many(struct walk *walk, int depth, long a, long b, long c,
                                           long d, long e, long f, long g, long h, double x) {
    walk_body(walk, depth);
    return a + b * c - d + e * f + g - h + (long)x;
}

SHAPE arguments(struct walk *walk, int depth) {
    long value = many(walk, depth, depth, 2, 3, 4, 5, 6, 7, 8, 9.0);
    KEEP(&value);
    value += many(walk, depth - 1, value, 3, 4, 5, 6, 7, 8, 9, 1.0);
    KEEP(&value);
}

SHAPE registers(struct walk *walk, int depth) {
    unsigned a = walk_random(walk), b = walk_random(walk), c = walk_random(walk);
    unsigned d = walk_random(walk), e = walk_random(walk), f = walk_random(walk);
    walk_body(walk, depth);
    unsigned sum = a ^ b * c + d ^ e * f;
    walk_body(walk, depth - 2);
    sum += a * f + b * e + c * d;
    KEEP(&sum);
}

__attribute__((noinline)) static int early(struct walk *walk, int depth) {
    /* The saving of registers may be postponed to behind this. */
    if (walk_random(walk) % 3 == 0)
        return 1;
    unsigned a = walk_random(walk), b = walk_random(walk);
    walk_body(walk, depth);
    walk_body(walk, (int)(a + b) % 3);
    return (int)(a ^ b);
}

SHAPE shrunk(struct walk *walk, int depth) {
    int value = early(walk, depth);
    KEEP(&value);
}

/* Does not touch the frame pointer, which its callers need. */
__attribute__((noinline)) static void leaf(struct walk *walk) {
    walk_hook(walk);
    KEEP(walk);
}

enum { SHIFT = 64, SHIFTS = 4 };

__attribute__((noinline)) static void shifted(struct walk *walk, int shift) {
    char *bytes = alloca((SHIFTS - shift) * SHIFT);
    KEEP(bytes);
    leaf(walk);
    KEEP(bytes);
}

/* The same words on the stack, as what was allocated is not written, and the same stack pointer in
   the end, but another frame pointer. */
__attribute__((noinline)) static void shift(struct walk *walk, int shift) {
    char *bytes = alloca(shift * SHIFT);
    KEEP(bytes);
    /* From different places, so that what is stale would show. */
    if (shift % 2) {
        shifted(walk, shift);
        __asm__ volatile("nop" : : "r"(bytes) : "memory");
    } else {
        shifted(walk, shift);
        KEEP(bytes);
    }
}

SHAPE shifting(struct walk *walk, int depth) {
    (void)depth;
    for (int i = 0; i < 2 * SHIFTS; i++)
        shift(walk, (int)(walk_random(walk) % SHIFTS));
}

__attribute__((noinline)) static void left(struct walk *walk) {
    leaf(walk);
    KEEP(walk);
}

__attribute__((noinline)) static void right(struct walk *walk) {
    leaf(walk);
    KEEP(walk);
}

/* The innermost calls change back and forth. */
SHAPE alternating(struct walk *walk, int depth) {
    for (int i = 0; i < 12; i++) {
        if (i % 3)
            left(walk);
        else
            right(walk);
    }
    walk_body(walk, depth);
}

static int compare(const void *left, const void *right, void *context) {
    struct walk *walk = context;
    int depth = *(const int *)left % 8;
    if (walk_random(walk) % 4 == 0)
        walk_body(walk, depth);
    return depth - *(const int *)right % 8;
}

SHAPE sorted(struct walk *walk, int depth) {
    int numbers[5];
    for (int i = 0; i < 5; i++)
        numbers[i] = depth > 4 ? (int)(walk_random(walk) % 4) : 0;
    qsort_r(numbers, 5, sizeof *numbers, compare, walk);
    KEEP(numbers);
}

SHAPE jumping(struct walk *walk, int depth) {
    if (walk->jump && walk_random(walk) % 8 == 0)
        longjmp(*(jmp_buf *)walk->jump, 1);
    jmp_buf here;
    void *volatile outer = walk->jump;
    volatile int catcher = walk->catcher;
    if (!setjmp(here)) {
        walk->jump = &here;
        /* A jump must not pass by who catches exceptions, nor the reverse. */
        walk->catcher = 0;
        walk_body(walk, depth);
    }
    walk->jump = outer;
    walk->catcher = catcher;
    walk_hook(walk);
}

/* Goes on where neither jumps nor exceptions may leave. */
static void apart(struct walk *walk, int depth) {
    void *jump = walk->jump;
    int catcher = walk->catcher;
    walk->jump = NULL;
    walk->catcher = 0;
    walk_hook(walk);
    walk_body(walk, depth < 6 ? depth : 6);
    walk->jump = jump;
    walk->catcher = catcher;
}

static void handle(int number, siginfo_t *info, void *context) {
    (void)context;
    struct walk *walk = info->si_value.sival_ptr;
    int depth = walk->depth, alternate = walk->alternate;
    walk->alternate |= number == SIGUSR2;
    apart(walk, depth);
    walk->alternate = alternate;
}

SHAPE signalled(struct walk *walk, int depth) {
    walk->depth = depth;
    union sigval value = {.sival_ptr = walk};
    pthread_sigqueue(pthread_self(), walk_random(walk) % 2 ? SIGUSR1 : SIGUSR2, value);
}

enum { FIBER_LEN = 1 << 20, FIBERS_KEPT = 2 };

static _Thread_local void *kept[FIBERS_KEPT];

/* makecontext passes integers. */
static void fiber(unsigned low, unsigned high) {
    struct walk *walk = (struct walk *)((uintptr_t)high << 32 | low);
    apart(walk, walk->depth);
}

SHAPE fibered(struct walk *walk, int depth) {
    if (walk->alternate)
        return;
    int index = (int)(walk_random(walk) % (FIBERS_KEPT + 1));
    void *stack = index < FIBERS_KEPT ? kept[index] : NULL;
    if (index < FIBERS_KEPT)
        kept[index] = NULL;
    if (!stack)
        stack = mmap(NULL, FIBER_LEN, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (stack == MAP_FAILED)
        abort();
    ucontext_t inside, outside;
    getcontext(&inside);
    inside.uc_stack.ss_sp = stack;
    inside.uc_stack.ss_size = FIBER_LEN;
    inside.uc_link = &outside;
    walk->depth = depth;
    makecontext(&inside, (void (*)(void))fiber, 2, (unsigned)(uintptr_t)walk,
                (unsigned)((uintptr_t)walk >> 32));
    swapcontext(&outside, &inside);
    if (index < FIBERS_KEPT && !kept[index])
        kept[index] = stack;
    else
        munmap(stack, FIBER_LEN);
}

static shape *const tame[] = {
    small, tail, large, huge, dynamic, variable, aligned, aligned_dynamic,
    arguments, registers, shrunk, sorted, shifting, alternating, shrunk, alternating,
};
static shape *const wild[] = {jumping, signalled, fibered, jumping};

static void go(struct walk *walk, int depth) {
    if (walk->budget <= 0 || depth <= 0)
        return;
    unsigned choice = walk_random(walk) % 64;
    if (walk->wild && choice < 4)
        wild[choice](walk, depth - 1);
    else if (walk->extras && choice < 16)
        walk->extra[choice % (unsigned)walk->extras](walk, depth - 1);
    else
        tame[choice % 16](walk, depth - 1);
}

void walk_run(struct walk *walk, int depth) {
    walk->go = go;
    while (walk->budget > 0)
        go(walk, depth);
}

/* Signal handlers of the process, and this thread's alternate stack. */
void walk_prepare(void *stack, size_t len) {
    stack_t alternate = {.ss_sp = stack, .ss_size = len};
    sigaltstack(&alternate, NULL);
    struct sigaction action = {.sa_sigaction = handle, .sa_flags = SA_NODEFER | SA_SIGINFO};
    sigaction(SIGUSR1, &action, NULL);
    action.sa_flags |= SA_ONSTACK;
    sigaction(SIGUSR2, &action, NULL);
}
