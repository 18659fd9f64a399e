/* A repeatable stream of numbers for one thread (xorshift64*), and the sizes and alignments the
   stress test draws from it. */
#ifndef STRESS_RANDOM_H
#define STRESS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

struct random {
    uint64_t state;
};

static inline struct random random_new(uint64_t seed)
{
    /* The state must not be zero. */
    struct random random = { (seed + 1) * UINT64_C(0x9E3779B97F4A7C15) | 1 };
    return random;
}

static inline uint64_t random_next(struct random *random)
{
    random->state ^= random->state >> 12;
    random->state ^= random->state << 25;
    random->state ^= random->state >> 27;
    return random->state * UINT64_C(0x2545F4914F6CDD1D);
}

/* A number below `bound`. */
static inline uint64_t random_below(struct random *random, uint64_t bound)
{
    return (random_next(random) >> 16) % bound;
}

/* A number from 2^low up to 2^high, each doubling as likely as any other. */
static inline size_t random_size(struct random *random, unsigned low, unsigned high)
{
    size_t base = (size_t)1 << (low + random_below(random, high - low));
    return base + (random_next(random) >> 16) % base;
}

#endif
