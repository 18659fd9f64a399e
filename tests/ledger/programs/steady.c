// Does so much work at each word from standard input, and says so when it is done. At the end it
// checks that nobody has disturbed what it keeps.
//
// Usage: steady

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define EARLY 1000
#define BATCH 2000
#define EVERY 20

#define KEPT 1000

static char *early[EARLY], *kept[KEPT];
static int count;

__attribute__((noinline)) static char *fetch(int size) {
    char *block = malloc(size);
    memset(block, 7, size);
    return block;
}

__attribute__((noinline)) static char *from_before(int size) {
    char *block = malloc(size);
    memset(block, 5, size);
    return block;
}

static void batch(void) {
    for (int i = 0; i < BATCH; i++) {
        char *block = fetch(500);
        char **place = i % EVERY == 0 ? &kept[count++ % KEPT] : &block;
        char *old = *place;
        *place = block;
        free(old);
    }
}

static int holds(const char *block, int size, char value) {
    for (int i = 0; i < size; i++)
        if (block[i] != value)
            return 0;
    return 1;
}

int main(void) {
    char word;
    for (int i = 0; i < EARLY; i++)
        early[i] = from_before(64);
    while (read(0, &word, 1) == 1) {
        batch();
        if (write(1, "d", 1) != 1)
            return 1;
    }
    for (int i = 0; i < EARLY; i++)
        if (!holds(early[i], 64, 5))
            return 1;
    for (int i = 0; i < KEPT && i < count; i++)
        if (!holds(kept[i], 500, 7))
            return 1;
    for (int i = 0; i < EARLY; i++)
        free(early[i]);
    return write(1, "intact", 6) != 6;
}
