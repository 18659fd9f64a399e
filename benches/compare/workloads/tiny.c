/* Factoring in tiny blocks: Pollard's rho on numbers that own a block each, and every operation
 * allocates its result, as programs built on a bignum library do.
 *
 * usage: tiny PERCENT */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct number {
    int length; /* digits in use, the lowest first */
    uint32_t digits[];
};

static struct number *make(int length) {
    struct number *made = malloc(sizeof *made + sizeof(uint32_t) * (size_t)(length + 1));
    if (!made)
        abort();
    made->length = length;
    memset(made->digits, 0, sizeof(uint32_t) * (size_t)(length + 1));
    return made;
}

static struct number *trim(struct number *a) {
    while (a->length > 0 && a->digits[a->length - 1] == 0)
        a->length--;
    return a;
}

static struct number *small(uint64_t value) {
    struct number *made = make(2);
    made->digits[0] = (uint32_t)value;
    made->digits[1] = (uint32_t)(value >> 32);
    return trim(made);
}

static int compare(const struct number *a, const struct number *b) {
    if (a->length != b->length)
        return a->length < b->length ? -1 : 1;
    for (int i = a->length - 1; i >= 0; i--)
        if (a->digits[i] != b->digits[i])
            return a->digits[i] < b->digits[i] ? -1 : 1;
    return 0;
}

static struct number *add(const struct number *a, const struct number *b) {
    int length = (a->length > b->length ? a->length : b->length) + 1;
    struct number *sum = make(length);
    uint64_t carry = 0;
    for (int i = 0; i < length; i++) {
        carry += i < a->length ? a->digits[i] : 0;
        carry += i < b->length ? b->digits[i] : 0;
        sum->digits[i] = (uint32_t)carry;
        carry >>= 32;
    }
    return trim(sum);
}

/* a - b, for a >= b */
static struct number *subtract(const struct number *a, const struct number *b) {
    struct number *difference = make(a->length);
    int64_t borrow = 0;
    for (int i = 0; i < a->length; i++) {
        borrow += (int64_t)a->digits[i] - (i < b->length ? b->digits[i] : 0);
        difference->digits[i] = (uint32_t)borrow;
        borrow >>= 32;
    }
    return trim(difference);
}

static struct number *multiply(const struct number *a, const struct number *b) {
    struct number *product = make(a->length + b->length);
    for (int i = 0; i < a->length; i++) {
        uint64_t carry = 0;
        for (int j = 0; j < b->length; j++) {
            carry += (uint64_t)a->digits[i] * b->digits[j] + product->digits[i + j];
            product->digits[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        product->digits[i + b->length] = (uint32_t)carry;
    }
    return trim(product);
}

/* a modulo b by schoolbook division; b's highest bit of its highest digit is set. */
static struct number *modulo(const struct number *a, const struct number *b) {
    struct number *rest = make(a->length);
    memcpy(rest->digits, a->digits, sizeof(uint32_t) * (size_t)a->length);
    for (int shift = a->length - b->length; shift >= 0; shift--) {
        uint64_t top = (uint64_t)rest->digits[shift + b->length] << 32 |
                       rest->digits[shift + b->length - 1];
        uint64_t guess = top / b->digits[b->length - 1];
        if (guess > UINT32_MAX)
            guess = UINT32_MAX;
        uint64_t carry = 0;
        int64_t borrow = 0;
        for (int i = 0; i <= b->length; i++) {
            carry += i < b->length ? guess * b->digits[i] : 0;
            borrow += (int64_t)rest->digits[shift + i] - (uint32_t)carry;
            rest->digits[shift + i] = (uint32_t)borrow;
            borrow >>= 32;
            carry >>= 32;
        }
        while (borrow < 0) {
            uint64_t back = 0;
            for (int i = 0; i <= b->length; i++) {
                back += (uint64_t)rest->digits[shift + i] + (i < b->length ? b->digits[i] : 0);
                rest->digits[shift + i] = (uint32_t)back;
                back >>= 32;
            }
            borrow += (int64_t)back;
        }
    }
    return trim(rest);
}

/* x * x + c modulo n; x is given up. */
static struct number *step(struct number *x, const struct number *c, const struct number *n) {
    struct number *square = multiply(x, x);
    struct number *more = add(square, c);
    struct number *next = modulo(more, n);
    free(square);
    free(more);
    free(x);
    return next;
}

static struct number *distance(const struct number *a, const struct number *b) {
    return compare(a, b) < 0 ? subtract(b, a) : subtract(a, b);
}

int main(int count, char **words) {
    long percent = count > 1 ? atol(words[1]) : 100;
    /* Two 64-bit primes: no rho run this long finds them, so its length is known. */
    struct number *p = small(18446744073709551557u), *q = small(18446744073709551533u);
    struct number *n = multiply(p, q), *c = small(1), *product = small(1);
    struct number *slow = small(2), *fast = small(2);
    for (long turn = 0; turn < percent * 9000; turn++) {
        slow = step(slow, c, n);
        fast = step(step(fast, c, n), c, n);
        struct number *apart = distance(slow, fast);
        struct number *longer = multiply(product, apart);
        free(product);
        product = modulo(longer, n);
        free(longer);
        free(apart);
    }
    for (int i = product->length - 1; i >= 0; i--)
        printf("%08x", product->digits[i]);
    printf("\n");
    free(p), free(q), free(n), free(c), free(product), free(slow), free(fast);
    return 0;
}
