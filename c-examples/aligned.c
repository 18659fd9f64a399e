// Blocks at aligned addresses, for vector instructions, pages and device buffers; and what happens
// when the request makes no sense.

#undef NDEBUG
#define _POSIX_C_SOURCE 200112L
#include <assert.h>
#include <errno.h>
#include <heapsight.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int is_aligned(const void *block, size_t alignment) {
    return (uintptr_t)block % alignment == 0;
}

int main(void) {
    // Any power of two; the size need not be a multiple of it.
    size_t tried = 0;
    for (size_t alignment = 1; alignment <= 1 << 20; alignment *= 2) {
        char *block = heapsight_aligned_alloc(alignment, 1000);
        assert(block != NULL && is_aligned(block, alignment));
        memset(block, 7, 1000);
        heapsight_free(block);
        tried++;
    }
    printf("%zu alignments, up to %d bytes\n", tried, 1 << 20);

    // malloc aligns for every basic type, also in small blocks.
    for (size_t size = 0; size < 100; size++) {
        void *block = malloc(size);
        assert(block != NULL && is_aligned(block, 16));
        free(block);
    }

    // The standard functions are the same heap.
    void *page = NULL;
    assert(posix_memalign(&page, 4096, 10000) == 0);
    assert(is_aligned(page, 4096) && heapsight_usable_size(page) >= 10000);
    free(page);
    double *vector = aligned_alloc(64, 64 * sizeof *vector);
    assert(vector != NULL && is_aligned(vector, 64));
    free(vector);

    // 48 is no power of two: EINVAL. posix_memalign returns the error and leaves the rest alone.
    errno = 0;
    assert(heapsight_aligned_alloc(48, 100) == NULL && errno == EINVAL);
    void *untouched = &tried;
    errno = 0;
    assert(posix_memalign(&untouched, 48, 100) == EINVAL);
    assert(untouched == &tried && errno == 0);

    // No machine has this much: ENOMEM, and the program lives. Volatile, as the compiler knows too.
    volatile size_t impossible = SIZE_MAX - 4096;
    errno = 0;
    assert(heapsight_aligned_alloc(64, impossible) == NULL && errno == ENOMEM);
    errno = 0;
    assert(malloc(impossible) == NULL && errno == ENOMEM);

    printf("impossible requests fail and nothing else does\n");
    return 0;
}
