// A string that keeps its text in itself points to itself: lost, and no cycle. A long one holds
// its text.
#include "../plant.h"
#include <string>

static void plant() {
    auto brief = new std::string("short"); // LEAK lost 1 block 32 bytes
    auto wordy = new std::string; // LEAK lost 1 block 32 bytes
    wordy->reserve(99); // LEAK indirect 1 block 100 bytes under plant
    seen(brief);
    seen(wordy);
    if (clean) {
        delete brief;
        delete wordy;
    }
}
