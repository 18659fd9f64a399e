/* Two objects of different code and equal size, so that one takes the addresses of the other. */
#include "walk.h"

#define KEEP(address) __asm__ volatile("" : : "r"(address) : "memory")

#ifndef ROOM
#define ROOM 40
#endif

__attribute__((noinline)) static void inner(struct walk *walk, int depth) {
    char bytes[ROOM];
    KEEP(bytes);
    walk_hook(walk);
    if (depth > 0)
        walk->go(walk, depth - 1);
    walk_hook(walk);
    KEEP(bytes);
}

static void go(struct walk *walk, int depth) {
    char bytes[ROOM * 2];
    KEEP(bytes);
    inner(walk, depth);
    KEEP(bytes);
}

void churn_run(struct walk *walk, int depth) {
    walk->go = go;
    go(walk, depth);
}
