// What the planted programs in C and C++ share: the twin that leaks nothing, and how a pointer is
// lost so that no register and no dead stack frame still has it.
//
// A program defines `plant`, which this file's `main` calls. `program clean` is the twin.
#pragma once

#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOINLINE __attribute__((noinline, noclone, unused))

static bool clean;

// The compiler has to believe that this pointer is used.
static NOINLINE void *seen(void *block) {
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}

// Loses the block; the twin frees it.
static NOINLINE void lose(void *block) {
    __asm__ volatile("" : : "r"(block) : "memory");
    if (clean)
        free(block);
}

// Overwrites what returned calls have left on the stack and in vector registers.
static NOINLINE void scrub(void) {
    char dead[1 << 16];
    memset(dead, 0, sizeof dead);
    __asm__ volatile("pxor %%xmm0, %%xmm0; pxor %%xmm1, %%xmm1; pxor %%xmm2, %%xmm2;"
                     "pxor %%xmm3, %%xmm3; pxor %%xmm4, %%xmm4; pxor %%xmm5, %%xmm5;"
                     "pxor %%xmm6, %%xmm6; pxor %%xmm7, %%xmm7; pxor %%xmm8, %%xmm8;"
                     "pxor %%xmm9, %%xmm9; pxor %%xmm10, %%xmm10; pxor %%xmm11, %%xmm11;"
                     "pxor %%xmm12, %%xmm12; pxor %%xmm13, %%xmm13; pxor %%xmm14, %%xmm14;"
                     "pxor %%xmm15, %%xmm15"
                     :
                     : "r"(dead)
                     : "memory", "xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", "xmm7",
                       "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14", "xmm15");
}

static NOINLINE void plant(void);

int main(int argc, char **argv) {
    clean = argc > 1 && strcmp(argv[1], "clean") == 0;
    plant();
    scrub();
    return 0;
}
