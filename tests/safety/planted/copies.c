// One mistake with a routine of libc's, or none:
//
//     copies KIND SIZE
//
// Kinds are routines and what is wrong with them. The compiler must not have better ideas: the
// program is built with -fno-builtin.

#define _GNU_SOURCE
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NOINLINE __attribute__((noinline, noclone))

static NOINLINE char *hidden(char *pointer) {
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

static NOINLINE char *allocate_target(size_t size) {
    return hidden(malloc(size));
}

static NOINLINE char *allocate_source(size_t size) {
    return hidden(malloc(size));
}

static NOINLINE void copy_it(const char *kind, char *to, char *from, size_t size) {
    int is(const char *name) { return strcmp(kind, name) == 0; }
    // A string that fills the source, with its zero, and one that does not end there.
    memset(from, 'x', size);
    memset(to, 'y', size);
    int is_open = strstr(kind, "-open") != NULL;
    from[size - 1] = is_open ? 'x' : 0;
    to[1] = 0;
    if (is("none")) {
        memcpy(to, from, size);
        memcpy(to, to, size);
        memcpy(to + size, from + size, 0);
        memmove(to, to + 1, size - 1);
        memmove(to + 1, to, size - 1);
        memset(to, 0, size);
        if (strcpy(to, from) != to || strcmp(to, from) != 0)
            exit(90);
        if (stpcpy(to, from) != to + size - 1 || strcmp(to, from) != 0)
            exit(91);
        to[2] = 0;
        if (strcat(to, from + 2) != to || strcmp(to, from) != 0)
            exit(92);
        from[size / 2] = 0;
        if (strncpy(to, from, size) != to || memchr(to + size / 2, 'x', size - size / 2))
            exit(93);
        if (strcmp(to, from) != 0 || to[size - 1] != 0)
            exit(94);
        from[size / 2] = 'x';
        to[3] = 0;
        if (strncat(to, from, size - 4) != to || strlen(to) != size - 1 || to[size - 1] != 0)
            exit(95);
        // Neither of them reads further than it is told.
        memset(from, 'x', size);
        strncpy(to, from, size);
        to[0] = 0;
        strncat(to, from, size - 1);
    } else if (is("memcpy-write")) {
        memcpy(to + 1, from, size);
    } else if (is("memcpy-read")) {
        memcpy(to, from + 1, size);
    } else if (is("memcpy-overlap")) {
        memcpy(to + 1, to, size - 1);
    } else if (is("memcpy-overlap-back")) {
        memcpy(to, to + 1, size - 1);
    } else if (is("memmove-write")) {
        memmove(to + 1, from, size);
    } else if (is("memmove-read")) {
        memmove(to, from + 1, size);
    } else if (is("memset-write")) {
        memset(to, 0, size + 1);
    } else if (is("strcpy-write")) {
        strcpy(to + 1, from);
    } else if (is("strcpy-read-open")) {
        strcpy(to, from);
    } else if (is("strcpy-overlap")) {
        to[1] = 'y', to[size - 2] = 0;
        strcpy(to + 1, to);
    } else if (is("stpcpy-write")) {
        stpcpy(to + 1, from);
    } else if (is("strcat-write")) {
        strcat(to, from);
    } else if (is("strncpy-write")) {
        strncpy(to, "short", size + 1);
    } else if (is("strncpy-read-open")) {
        strncpy(to, from + 1, size);
    } else if (is("strncat-write")) {
        strncat(to, from, size);
    } else {
        exit(97);
    }
}

int main(int argc, char **argv) {
    if (argc < 3)
        return 96;
    size_t size = strtoul(argv[2], NULL, 10);
    // So that what does not end where it should ends somewhere.
    char *to = allocate_target(size), *from = allocate_source(size);
    copy_it(argv[1], to, from, size);
    free(from);
    free(to);
    return 0;
}
