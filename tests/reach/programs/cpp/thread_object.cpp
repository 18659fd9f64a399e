// What a detached std::thread was given to run belongs to the running thread.
#include "../plant.h"
#include <atomic>
#include <memory>
#include <thread>

static std::atomic<bool> ready;

static NOINLINE void runs(std::unique_ptr<long> &mine) {
    scrub();
    ready = true;
    for (;;) {
        pause();
        seen(&mine);
    }
}

static void plant() {
    if (clean)
        return;
    auto mine = std::make_unique<long>(3); // LEAK reachable 1 block 8 bytes
    // LEAK reachable 1 block 16 bytes
    std::thread([mine = std::move(mine)]() mutable { runs(mine); }).detach();
    while (!ready)
        std::this_thread::yield();
}
