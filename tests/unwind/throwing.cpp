// Frames that exceptions pass through.
#include "walk.h"

namespace {
struct Thrown {
    int depth;
};

// Calls the hook while the stack is being unwound.
struct Noisy {
    walk *of;
    ~Noisy() { walk_hook(of); }
};

__attribute__((noinline)) void nested(walk *walk, int depth, int levels) {
    Noisy noisy{walk};
    if (levels > 0)
        nested(walk, depth, levels - 1);
    else
        walk_body(walk, depth);
    if (walk->catcher && walk_random(walk) % 16 == 0)
        throw Thrown{depth};
}
} // namespace

extern "C" void throwing(walk *walk, int depth) {
    void *jump = walk->jump;
    int catcher = walk->catcher;
    walk->jump = nullptr;
    walk->catcher = 1;
    try {
        nested(walk, depth, static_cast<int>(walk_random(walk) % 4));
    } catch (const Thrown &) {
        walk_hook(walk);
    }
    walk->jump = jump;
    walk->catcher = catcher;
    walk_hook(walk);
}
