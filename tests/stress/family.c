/* Every pair of functions that fits, and no other: an allocator that looks at families, sizes and
   alignments has nothing to say. */
#define _GNU_SOURCE
#include "family.h"

#include <malloc.h>
#include <stdlib.h>
#include <unistd.h>

/* C23's and C++'s functions are where the allocator brings them. */
#define WEAK __attribute__((weak))
extern void free_sized(void *, size_t) WEAK;
extern void free_aligned_sized(void *, size_t, size_t) WEAK;
extern void *new_one(size_t) __asm__("_Znwm") WEAK;
extern void *new_one_aligned(size_t, size_t) __asm__("_ZnwmSt11align_val_t") WEAK;
extern void *new_array(size_t) __asm__("_Znam") WEAK;
extern void *new_array_aligned(size_t, size_t) __asm__("_ZnamSt11align_val_t") WEAK;
extern void delete_one(void *) __asm__("_ZdlPv") WEAK;
extern void delete_one_sized(void *, size_t) __asm__("_ZdlPvm") WEAK;
extern void delete_one_aligned(void *, size_t) __asm__("_ZdlPvSt11align_val_t") WEAK;
extern void delete_one_both(void *, size_t, size_t) __asm__("_ZdlPvmSt11align_val_t") WEAK;
extern void delete_array(void *) __asm__("_ZdaPv") WEAK;
extern void delete_array_sized(void *, size_t) __asm__("_ZdaPvm") WEAK;
extern void delete_array_aligned(void *, size_t) __asm__("_ZdaPvSt11align_val_t") WEAK;
extern void delete_array_both(void *, size_t, size_t) __asm__("_ZdaPvmSt11align_val_t") WEAK;

static void *made_aligned(struct block *block, size_t size, size_t align, unsigned function)
{
    void *ptr = NULL;
    block->align = align;
    switch (function % 3) {
    case 0:
        return posix_memalign(&ptr, align, size) == 0 ? ptr : NULL;
    case 1:
        block->family = ALIGNED;
        return aligned_alloc(align, size);
    default:
        return memalign(align, size);
    }
}

static void *made_in_pages(struct block *block, size_t size, unsigned function)
{
    block->align = (size_t)sysconf(_SC_PAGESIZE);
    return function % 2 == 0 ? valloc(size) : pvalloc(size);
}

static void *made_by_cxx(struct block *block, size_t size, size_t align)
{
    if (block->family == NEW_ARRAY) {
        block->align = align;
        return align ? new_array_aligned(size, align) : new_array(size);
    }
    block->align = align;
    return align ? new_one_aligned(size, align) : new_one(size);
}

bool made(struct block *block, size_t size, struct random *random)
{
    unsigned choice = random_below(random, 100);
    size_t align = (size_t)1 << (ALIGN_BITS_MIN + random_below(random, ALIGN_BITS_MAX - 3));
    *block = (struct block){ .size = size, .asked = size, .family = PLAIN };
    if (choice < 20) {
        size_t count = size % 3 == 0 && size != 0 ? 3 : 1;
        block->ptr = calloc(count, size / count);
        return true;
    }
    if (choice < 32) {
        block->family = PAGES;
        block->ptr = made_aligned(block, size, align, choice);
    } else if (choice < 34) {
        block->family = PAGES;
        block->ptr = made_in_pages(block, size, choice);
    } else if (choice < 50 && new_one != NULL) {
        block->family = choice % 2 == 0 ? NEW : NEW_ARRAY;
        block->ptr = made_by_cxx(block, size, choice < 44 ? 0 : align);
    } else if (choice < 55) {
        block->ptr = realloc(NULL, size);
    } else if (choice < 60) {
        block->ptr = reallocarray(NULL, size, 1);
    } else {
        block->ptr = malloc(size);
    }
    return false;
}

void unmake(const struct block *block)
{
    void *ptr = block->ptr;
    size_t size = block->asked, align = block->align;
    bool is_sized = block->seed >> 8 & 1;
    switch (block->family) {
    case PLAIN:
        is_sized && free_sized != NULL ? free_sized(ptr, size) : free(ptr);
        break;
    case ALIGNED:
        is_sized && free_aligned_sized != NULL ? free_aligned_sized(ptr, align, size) : free(ptr);
        break;
    case PAGES:
        free(ptr);
        break;
    case NEW:
        if (align)
            is_sized ? delete_one_both(ptr, size, align) : delete_one_aligned(ptr, align);
        else
            is_sized ? delete_one_sized(ptr, size) : delete_one(ptr);
        break;
    case NEW_ARRAY:
        if (align)
            is_sized ? delete_array_both(ptr, size, align) : delete_array_aligned(ptr, align);
        else
            is_sized ? delete_array_sized(ptr, size) : delete_array(ptr);
        break;
    }
}
