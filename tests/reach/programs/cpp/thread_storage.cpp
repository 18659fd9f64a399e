// thread_local objects: destroyed with their thread; what a raw pointer in them held is lost then.
#include "../plant.h"
#include <string>
#include <thread>

struct holder {
    std::string owned;
    char *raw = nullptr;
};

static thread_local holder mine;

static NOINLINE void fill() {
    mine.owned.assign(300, 'x');
    mine.raw = new char[301]; // LEAK lost 1 block 301 bytes
    if (clean)
        delete[] mine.raw;
}

static void plant() {
    std::thread worker(fill);
    worker.join();
}
