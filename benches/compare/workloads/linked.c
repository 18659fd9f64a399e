/* Many small blocks that hold each other, for the cost of a leak check:
 *
 *     linked list|tree|graph BLOCKS [lost]
 *
 * All are held by a global, or with `lost` by nothing. With LINKED_CHECK set in the environment the
 * program runs the check of LeakSanitizer or Heapsight itself, three times, and prints how long that
 * took; without, the check is the one at exit. Build: cc -O2 [-fsanitize=leak] linked.c */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct node {
    struct node *edges[3];
    uint64_t payload;
};

struct node *root;

/* Whichever of the two is in the process. */
__attribute__((weak)) int __lsan_do_recoverable_leak_check(void);
__attribute__((weak)) int heapsight_check_for_leaks(void);

static uint64_t state = 0x9e3779b97f4a7c15;

static uint64_t random_number(void) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* The blocks in an order that has nothing to do with that of their addresses. */
static struct node **shuffled(size_t count) {
    struct node **nodes = malloc(count * sizeof *nodes);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = calloc(1, sizeof **nodes);
        nodes[i]->payload = i;
    }
    for (size_t i = count - 1; i > 0; i--) {
        size_t other = random_number() % (i + 1);
        struct node *node = nodes[i];
        nodes[i] = nodes[other];
        nodes[other] = node;
    }
    return nodes;
}

static void link_nodes(struct node **nodes, size_t count, const char *shape) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(shape, "list") == 0) {
            nodes[i]->edges[0] = i + 1 < count ? nodes[i + 1] : NULL;
            continue;
        }
        nodes[i]->edges[0] = 2 * i + 1 < count ? nodes[2 * i + 1] : NULL;
        nodes[i]->edges[1] = 2 * i + 2 < count ? nodes[2 * i + 2] : NULL;
        if (strcmp(shape, "graph") == 0) {
            nodes[i]->edges[2] = nodes[random_number() % count];
        }
    }
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: linked list|tree|graph BLOCKS [lost]\n");
        return 2;
    }
    size_t count = strtoull(argv[2], NULL, 10);
    double start = seconds();
    struct node **nodes = shuffled(count);
    link_nodes(nodes, count, argv[1]);
    root = argc > 3 ? NULL : nodes[0];
    memset(nodes, 0, count * sizeof *nodes);
    free(nodes);
    fprintf(stderr, "made in %.3f s\n", seconds() - start);
    int (*check)(void) =
        heapsight_check_for_leaks ? heapsight_check_for_leaks : __lsan_do_recoverable_leak_check;
    for (size_t i = 0; check && getenv("LINKED_CHECK") && i < 3; i++) {
        start = seconds();
        int leaked = check();
        fprintf(stderr, "checked in %.3f s: %s\n", seconds() - start, leaked ? "leaks" : "clean");
    }
    return 0;
}
