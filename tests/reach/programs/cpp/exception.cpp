// An exception that somebody keeps: its object is allocated by the run-time where it is thrown,
// behind a header of 128 bytes.
#include "../plant.h"
#include <exception>

struct failure {
    char what[200];
};

static std::exception_ptr *volatile kept;

static NOINLINE void fails() {
    throw failure(); // LEAK reachable interior 1 block 328 bytes held by global kept
}

static void plant() {
    try {
        fails();
    } catch (...) {
        // LEAK reachable 1 block 8 bytes held by global kept
        kept = new std::exception_ptr(std::current_exception());
    }
    if (clean)
        delete kept;
}
