/* A random walk through functions of many shapes, which calls a hook now and then. */
#ifndef WALK_H
#define WALK_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

enum { EXTRAS_MAX = 8 };

struct walk;
typedef void shape(struct walk *walk, int depth);

struct walk {
    uint64_t seed;
    /* Calls of the hook that are left. */
    long budget;
    void (*hook)(void);
    /* Goes on with the walk: for shapes in other objects. */
    shape *go;
    /* Whether signals, jumps and other stacks are wanted. */
    int wild;
    /* Shapes of other objects. */
    int extras;
    shape *extra[EXTRAS_MAX];
    /* Where to jump to, if anywhere on this stack. */
    void *jump;
    /* Whether somebody on this stack catches exceptions. */
    int catcher;
    /* Whether this is the alternate signal stack. */
    int alternate;
    /* Levels left for what goes on in a handler or on another stack. */
    int depth;
};

static inline unsigned walk_random(struct walk *walk) {
    walk->seed = walk->seed * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(walk->seed >> 33);
}

static inline void walk_hook(struct walk *walk) {
    if (walk->budget > 0) {
        walk->budget--;
        walk->hook();
    }
}

static inline void walk_body(struct walk *walk, int depth) {
    unsigned count = walk_random(walk) % 4;
    if (walk_random(walk) % 4 == 0)
        walk_hook(walk);
    for (unsigned i = 0; i < count && walk->budget > 0 && depth > 0; i++) {
        walk->go(walk, depth - 1);
        if (walk_random(walk) % 8 == 0) {
            walk_hook(walk);
            if (walk_random(walk) % 4 == 0)
                walk_hook(walk);
        }
    }
}

#ifdef __cplusplus
}
#endif
#endif
