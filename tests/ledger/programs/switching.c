// Changes what is recorded of it as it goes, and allocates in a function of its own each time. It
// does not link with Heapsight: it looks the function up.

#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdbool.h>
#include <stdlib.h>

#define BLOCKS 10000
#define PHASE(name)                                     \
    __attribute__((noinline)) static void *name(void) { \
        char *block = malloc(1000);                     \
        block[0] = 1;                                   \
        return block;                                   \
    }

PHASE(while_off)
PHASE(while_stats)
PHASE(while_sampled)
PHASE(while_full)
PHASE(while_off_again)

static bool (*set_tracking)(const char *);

static void phase(const char *track, void *(*function)(void)) {
    if (!set_tracking(track))
        exit(1);
    for (int i = 0; i < BLOCKS; i++)
        free(function());
}

int main(void) {
    *(void **)&set_tracking = dlsym(RTLD_DEFAULT, "heapsight_set_tracking");
    if (set_tracking == NULL)
        return 2;
    for (int i = 0; i < BLOCKS; i++)
        free(while_off());
    phase("stats", while_stats);
    phase("sample:16K", while_sampled);
    phase("full", while_full);
    // Nothing changes by what makes no sense.
    if (set_tracking("ful") || set_tracking("full,leaks=on") || set_tracking(NULL))
        return 3;
    free(while_full());
    phase("off", while_off_again);
    return 0;
}
