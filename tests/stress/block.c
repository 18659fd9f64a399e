/* Contents of blocks, and the promises of the malloc family.

   Writing every byte of every block would mostly exercise the memory bus. Blocks above WHOLE bytes
   are sampled instead, at both ends and at places drawn from their seed, and one in THOROUGH of
   them is written and checked in full. */
#define _GNU_SOURCE
#include "block.h"
#include "family.h"

#include <malloc.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { THOROUGH = 64, WHOLE = 2048, EDGE = 128, SAMPLES = 4, WORD = 8, PAGE = 4096 };

void fail(const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(text, sizeof text - 1, format, arguments);
    va_end(arguments);
    if (length < 0)
        length = 0;
    if ((size_t)length > sizeof text - 2)
        length = sizeof text - 2;
    text[length] = '\n';
    /* Nothing can be done about a message that cannot be written; the exit code still tells. */
    if (write(STDERR_FILENO, "stress: ", 8) < 0 || write(STDERR_FILENO, text, length + 1) < 0)
        _exit(3);
    abort();
}

/* The contents of a block as a row of words; its last word may be cut short. */
static uint64_t word_at(uint64_t seed, size_t index)
{
    return (seed ^ index) * UINT64_C(0xD6E8FEB86659FD93);
}

/* Writes the words that start in [from, to), cut at the end of the block. */
static void fill_range(const struct block *block, size_t from, size_t to)
{
    for (size_t offset = from; offset < to; offset += WORD) {
        uint64_t word = word_at(block->seed, offset / WORD);
        size_t left = block->size - offset;
        memcpy(block->ptr + offset, &word, left < WORD ? left : WORD);
    }
}

/* Checks the words that start in [from, to), cut at `limit` bytes. */
static void check_range(const struct block *block, size_t from, size_t to, size_t limit)
{
    if (to > limit)
        to = limit;
    for (size_t offset = from; offset < to; offset += WORD) {
        uint64_t expected = word_at(block->seed, offset / WORD);
        size_t left = limit - offset;
        if (memcmp(block->ptr + offset, &expected, left < WORD ? left : WORD) != 0)
            fail("block %p of %zu bytes (seed %#llx) has other contents at byte %zu than were "
                 "written: another owner of this memory wrote it, or a move lost it",
                 (void *)block->ptr, block->size, (unsigned long long)block->seed, offset);
    }
}

/* Where sample number `index` starts: a whole word inside the block. */
static size_t sample(const struct block *block, unsigned index)
{
    uint64_t mixed = (block->seed + index) * UINT64_C(0x9E3779B97F4A7C15);
    return (mixed >> 24) % (block->size / WORD) * WORD;
}

/* Where the last words of a block begin. */
static size_t edge(const struct block *block)
{
    return (block->size - EDGE) / WORD * WORD;
}

static bool is_sampled(const struct block *block)
{
    return block->size > WHOLE && block->seed % THOROUGH != 0;
}

static void fill(const struct block *block)
{
    if (!is_sampled(block)) {
        fill_range(block, 0, block->size);
        return;
    }
    fill_range(block, 0, EDGE);
    fill_range(block, edge(block), block->size);
    for (unsigned index = 0; index < SAMPLES; index++)
        fill_range(block, sample(block, index), sample(block, index) + WORD);
}

/* Checks the first `limit` bytes, all that a shrunk block still has. */
static void check_below(const struct block *block, size_t limit)
{
    if (limit > block->size)
        limit = block->size;
    if (!is_sampled(block)) {
        check_range(block, 0, block->size, limit);
        return;
    }
    check_range(block, 0, EDGE, limit);
    check_range(block, edge(block), block->size, limit);
    for (unsigned index = 0; index < SAMPLES; index++)
        check_range(block, sample(block, index), sample(block, index) + WORD, limit);
}

static void check_zero(const struct block *block, size_t from, size_t to)
{
    for (size_t offset = from; offset < to; offset++)
        if (block->ptr[offset] != 0)
            fail("calloc of %zu bytes: byte %zu of %p is %#x and not 0", block->size, offset,
                 (void *)block->ptr, block->ptr[offset]);
}

/* A zeroed block must be zero to its last byte. Small blocks and one large block in THOROUGH are
   read whole; the others where earlier owners of the memory leave the most traces, at their ends
   and where a page (and so perhaps an earlier block) begins. */
static void check_zeroed(const struct block *block)
{
    if (!is_sampled(block)) {
        check_zero(block, 0, block->size);
        return;
    }
    check_zero(block, 0, EDGE);
    check_zero(block, block->size - EDGE, block->size);
    for (unsigned index = 0; index < SAMPLES; index++) {
        size_t page = (sample(block, index) + (uintptr_t)block->ptr) & ~(size_t)(PAGE - 1);
        if (page > (uintptr_t)block->ptr && page + EDGE < (uintptr_t)block->ptr + block->size)
            check_zero(block, page - (uintptr_t)block->ptr, page - (uintptr_t)block->ptr + EDGE);
    }
}

static void check_alignment(const struct block *block, size_t align)
{
    if (((uintptr_t)block->ptr & (align - 1)) != 0)
        fail("%p of %zu bytes is not aligned to %zu", (void *)block->ptr, block->size, align);
}

static void expect(const struct block *block, const char *function)
{
    if (block->ptr == NULL)
        fail("%s returned NULL for %zu bytes", function, block->size);
}

static bool one_in(struct random *random, unsigned count)
{
    return random_below(random, count) == 0;
}

void block_allocate(struct block *block, struct random *random)
{
    size_t size = one_in(random, 64) ? 0 : random_size(random, 0, SIZE_BITS);
    bool zeroed = made(block, size, random);
    expect(block, "an allocating function");
    check_alignment(block, block->align ? block->align : size >= 16 ? 16 : 8);
    if (zeroed)
        check_zeroed(block);
    size_t usable = malloc_usable_size(block->ptr);
    if (usable < size)
        fail("%p of %zu bytes claims to hold only %zu", (void *)block->ptr, size, usable);
    if (one_in(random, 16))
        block->size = usable;
    block->seed = random_next(random);
    fill(block);
}

void block_resize(struct block *block, struct random *random)
{
    if (block->family == NEW || block->family == NEW_ARRAY) {
        block_release(block);
        block_allocate(block, random);
        return;
    }
    block_check(block);
    size_t size;
    /* Mostly growth by a half or a double, as real buffers grow; sometimes anything. */
    switch (random_below(random, 4)) {
    case 0:
        size = random_size(random, 0, SIZE_BITS);
        break;
    case 1:
        size = block->size / 2 + 1;
        break;
    default:
        size = block->size + block->size / (1 + random_below(random, 8)) + 1;
    }
    if (size > (size_t)1 << SIZE_BITS)
        size = 1 + random_below(random, PAGE);
    struct block moved = { .size = size, .asked = size, .family = PLAIN };
    moved.ptr = one_in(random, 4) ? reallocarray(block->ptr, 1, size) : realloc(block->ptr, size);
    expect(&moved, "realloc");
    block->ptr = moved.ptr;
    check_below(block, size);
    check_alignment(&moved, size >= 16 ? 16 : 8);
    moved.seed = random_next(random);
    *block = moved;
    fill(block);
}

void block_check(const struct block *block)
{
    check_below(block, block->size);
}

void block_release(struct block *block)
{
    block_check(block);
    unmake(block);
    block->ptr = NULL;
}
