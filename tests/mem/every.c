// Every memory function of Heapsight beside libc's, with the memory up against pages that may not be
// touched. Prints what serves.

#define _GNU_SOURCE
#undef NDEBUG
#include <assert.h>
#include <heapsight.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>

enum { PAGE = 4096, ROOM = 3 * PAGE };

static int sign(int number) {
    return (number > 0) - (number < 0);
}

// Memory between two holes.
static unsigned char *between_holes(void) {
    unsigned char *start =
        mmap(NULL, ROOM + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert(start != MAP_FAILED);
    assert(mprotect(start + PAGE, ROOM, PROT_READ | PROT_WRITE) == 0);
    return start + PAGE;
}

typedef void *(*mover)(void *, const void *, size_t);
typedef void *(*setter)(void *, int, size_t);
typedef int (*comparer)(const void *, const void *, size_t);

static void copies(unsigned char *a, unsigned char *b, size_t len, size_t at) {
    const mover movers[] = {heapsight_memcpy, heapsight_memmove, heapsight_stream_copy,
                            heapsight_memcpy_simd, heapsight_memcpy_fast};
    static unsigned char expected[ROOM];
    for (size_t k = 0; k < sizeof movers / sizeof *movers; k++) {
        memset(b, 0xee, ROOM);
        memset(expected, 0xee, ROOM);
        memcpy(expected + at, a + ROOM - len, len);
        assert(movers[k](b + at, a + ROOM - len, len) == b + at);
        assert(memcmp(expected, b, ROOM) == 0);
    }
    if (len + at + 5 <= ROOM) {
        memmove(expected + at + 5, expected + at, len);
        assert(heapsight_memmove(b + at + 5, b + at, len) == b + at + 5);
        assert(memcmp(expected, b, ROOM) == 0);
    }
}

static void fills(unsigned char *b, size_t len, size_t at) {
    const setter setters[] = {heapsight_memset, heapsight_memset_simd};
    static unsigned char expected[ROOM];
    for (size_t k = 0; k < sizeof setters / sizeof *setters; k++) {
        memset(b, 0xee, ROOM);
        memset(expected, 0xee, ROOM);
        memset(expected + at, 0x1a5, len);
        assert(setters[k](b + at, 0x1a5, len) == b + at);
        assert(memcmp(expected, b, ROOM) == 0);
    }
    assert(heapsight_memother(b + at, 0x1a5, len) == len);
    heapsight_secure_zero(b + at, len);
    assert(heapsight_memother(b + at, 0, len) == len);
    memset(expected + at, 0, len);
    assert(memcmp(expected, b, ROOM) == 0);
    if (len > 0) {
        b[at + len / 2] = 9;
        assert(heapsight_memother(b + at, 0, len) == len / 2);
        b[at + len / 2] = 0;
    }
    for (size_t k = 0; k < len / 8 * 8; k++)
        expected[at + k] = (unsigned char)(0x11 * (k % 8 + 1));
    assert(heapsight_memset64(b + at, 0x8877665544332211u, len / 8) == b + at);
    assert(memcmp(expected, b, ROOM) == 0);
    for (size_t k = 0; k < len / 4 * 4; k++)
        expected[at + k] = (unsigned char)(0x11 * (k % 4 + 1));
    assert(heapsight_memset32(b + at, 0x44332211u, len / 4) == b + at);
    assert(memcmp(expected, b, ROOM) == 0);
    for (size_t k = 0; k < len / 2 * 2; k++)
        expected[at + k] = (unsigned char)(0x11 * (k % 2 + 1));
    assert(heapsight_memset16(b + at, 0x2211u, len / 2) == b + at);
    assert(memcmp(expected, b, ROOM) == 0);
}

static void comparisons(unsigned char *a, unsigned char *b, size_t len, size_t at) {
    const comparer comparers[] = {heapsight_memcmp, heapsight_memcmp_simd};
    unsigned char *left = a + ROOM - len, *right = b + at;
    memcpy(right, left, len);
    for (size_t spot = 0; spot <= len; spot += 1 + len / 9) {
        // At `len` nothing differs.
        if (spot < len)
            right[spot] ^= 0x80;
        for (size_t k = 0; k < sizeof comparers / sizeof *comparers; k++) {
            assert(sign(comparers[k](left, right, len)) == sign(memcmp(left, right, len)));
            assert(sign(comparers[k](right, left, len)) == sign(memcmp(right, left, len)));
        }
        assert((heapsight_bcmp(left, right, len) != 0) == (bcmp(left, right, len) != 0));
        assert(heapsight_mismatch(left, right, len) == spot);
        if (spot < len)
            right[spot] ^= 0x80;
    }
}

static void searches(unsigned char *b, size_t len, size_t at) {
    unsigned char *from = b + at;
    memset(b, 1, ROOM);
    for (size_t spot = 0; spot < len; spot += 1 + len / 9) {
        from[spot] = 0x90;
        from[len - 1] = 0x90;
        assert(heapsight_memchr(from, 0x190, len) == memchr(from, 0x190, len));
        assert(heapsight_memrchr(from, 0x190, len) == memrchr(from, 0x190, len));
        assert(heapsight_memchr(from, 7, len) == NULL && heapsight_memrchr(from, 7, len) == NULL);
        from[spot] = 0;
        from[len - 1] = 0;
        assert(heapsight_strlen((char *)from) == spot);
        assert(heapsight_memchr(from, 0, (size_t)-1) == from + spot);
        from[spot] = 1;
        from[len - 1] = 1;
    }
    assert(heapsight_memchr(from, 0x90, len) == NULL && heapsight_memrchr(from, 0x90, 0) == NULL);
}

int main(void) {
    unsigned char *a = between_holes(), *b = between_holes();
    for (size_t at = 0; at < ROOM; at++)
        a[at] = (unsigned char)(at % 251 + at / 251);
    for (size_t len = 0; len <= PAGE; len += len < 300 ? 1 : 61) {
        const size_t places[] = {0, 1, 31, ROOM - len, ROOM - len - 1, PAGE - len / 2};
        for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
            copies(a, b, len, places[k]);
            fills(b, len, places[k]);
            comparisons(a, b, len, places[k]);
            searches(b, len, places[k]);
        }
    }
    heapsight_features_t features = heapsight_features();
    assert(features.copy_by_registers > 0 && features.copy_past_caches > 0);
    // What copies in another thread's cache is no business of ours, but what is large goes a way of
    // its own.
    size_t large = 40u << 20;
    unsigned char *big = malloc(large), *other = malloc(large);
    assert(big != NULL && other != NULL);
    for (size_t k = 0; k < large; k++)
        big[k] = (unsigned char)(k % 253);
    for (size_t skew = 0; skew < 40; skew += 39) {
        assert(heapsight_memcpy(other + skew, big, large - skew) == other + skew);
        assert(memcmp(other + skew, big, large - skew) == 0);
    }
    heapsight_memset(other, 3, large);
    assert(heapsight_memother(other, 3, large) == large);
    heapsight_memset64(other, 0x0303030303030303u, large / 8);
    assert(heapsight_memother(other, 3, large) == large);
    free(big);
    free(other);
    printf("all agree: %s\n", features.simd);
    return 0;
}
