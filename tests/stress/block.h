/* A block under test and what it must hold.

   The description of a block is kept out of band, in static memory that no allocator manages. Its
   contents follow from a seed in that description alone, never from its address, so whoever holds
   the description can check the block: another thread, a later thread, a child process. */
#ifndef STRESS_BLOCK_H
#define STRESS_BLOCK_H

#include <stddef.h>
#include <stdint.h>

#include "random.h"

/* Sizes are 0 bytes to 2 MiB, alignments 16 bytes to 1 MiB. */
enum { SIZE_BITS = 21, ALIGN_BITS_MIN = 4, ALIGN_BITS_MAX = 20 };

/* Which functions may free a block. */
enum family { PLAIN, ALIGNED, PAGES, NEW, NEW_ARRAY };

struct block {
    unsigned char *ptr; /* NULL: no block */
    size_t size;        /* bytes that are used: those asked for, or all that are usable */
    size_t asked;
    size_t align; /* what was asked for; 0: nothing */
    enum family family;
    uint64_t seed;
};

/* Allocates a block of random size by a random function of the family, checks what the function
   promises (alignment, zeroes, usable size) and writes the contents. */
void block_allocate(struct block *block, struct random *random);

/* Checks the contents, moves the block to another random size, checks what realloc preserved and
   writes the contents anew. A block of a C++ operator is deleted, and another takes its place. */
void block_resize(struct block *block, struct random *random);

/* Checks the contents. */
void block_check(const struct block *block);

/* Checks the contents and frees the block, by one of the functions that may: with its size or
   alignment or without, as the allocating function allows. */
void block_release(struct block *block);

/* Ends the process with a message: the one way every check fails. */
__attribute__((noreturn, format(printf, 1, 2))) void fail(const char *format, ...);

#endif
