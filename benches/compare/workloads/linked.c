/* Many blocks that hold each other, for the cost of a search for leaks:
 *
 *     linked list|tree|graph BLOCKS [held|lost] [BYTES]
 *
 * Of 32 bytes each, or BYTES, all of them written. They are held by a global, or lost. With
 * LINKED_CHECK set in the environment the program runs the check of LeakSanitizer or Heapsight
 * itself, three times, and prints how long that took. With LINKED_WAIT it then waits for the end of
 * its standard input, to be searched from outside. With LINKED_WALK it follows the first edges from
 * the first block on, three times, and prints how long that took: what any search must do. Build: cc -O2 [-fsanitize=leak] linked.c */
#include <stddef.h>
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
static struct node **shuffled(size_t count, size_t bytes) {
    struct node **nodes = malloc(count * sizeof *nodes);
    for (size_t i = 0; i < count; i++) {
        nodes[i] = malloc(bytes);
        memset(nodes[i], 0, bytes);
        memset(&nodes[i]->payload, 1, bytes - offsetof(struct node, payload));
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

static void walk(void) {
    double start = seconds();
    uint64_t sum = 0;
    for (struct node *node = root; node; node = node->edges[0])
        sum += node->payload;
    fprintf(stderr, "walked in %.3f s: %llx\n", seconds() - start, (unsigned long long)sum);
}

int main(int argc, char **argv) {
    if (argc < 3) {
        fprintf(stderr, "usage: linked list|tree|graph BLOCKS [held|lost] [BYTES]\n");
        return 2;
    }
    size_t count = strtoull(argv[2], NULL, 10), bytes = argc > 4 ? strtoull(argv[4], NULL, 10) : 0;
    bytes = bytes < sizeof(struct node) ? sizeof(struct node) : bytes;
    double start = seconds();
    struct node **nodes = shuffled(count, bytes);
    link_nodes(nodes, count, argv[1]);
    root = argc > 3 && strcmp(argv[3], "lost") == 0 ? NULL : nodes[0];
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
    for (int i = 0; getenv("LINKED_WALK") && i < 3; i++)
        walk();
    if (getenv("LINKED_WAIT")) {
        puts("ready");
        fflush(stdout);
        while (getchar() != EOF) {
        }
    }
    return 0;
}
