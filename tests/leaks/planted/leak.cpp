// Leaks of C++ with known stacks, for the tests of the leak report: every form of new, what the
// standard library allocates for the program, a cycle, an exception, a thread.
//
// The markers are those of leak.c. `leak clean` allocates the same and gives all of it back, each
// block by the delete that belongs to its new.

#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <new>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#define NOINLINE __attribute__((noinline))

static bool clean;

// Hides from the compiler that nothing keeps the block.
template <class T> static void escape(T *block) {
    asm volatile("" : : "r"(block) : "memory");
}

template <class T> static NOINLINE void lose(T *block) {
    escape(block);
    if (clean)
        delete block;
}

template <class T> static NOINLINE void lose_array(T *blocks) {
    escape(blocks);
    if (clean)
        delete[] blocks;
}

namespace shelf {

struct Record {
    std::uint64_t words[3];
    ~Record() { escape(this); }
};

class Shelf {
  public:
    virtual ~Shelf() = default;
    virtual void put(int count) = 0;
};

class Wooden : public Shelf {
  public:
    NOINLINE void put(int count) override {
        for (int i = 0; i < count; i++)
            lose(new Record()); // LEAK: 4 blocks, 96 bytes in shelf::Wooden::put
    }
};

} // namespace shelf

static NOINLINE void arrays() {
    for (int i = 0; i < 2; i++)
        lose_array(new int[100]); // LEAK: 2 blocks, 800 bytes in arrays
    // Ten records of 24 bytes, and before them their number, for the destructors.
    lose_array(new shelf::Record[10]); // LEAK: 1 block, 248 bytes in arrays
}

static NOINLINE void without_exceptions() {
    lose(new (std::nothrow) long(7));        // LEAK: 1 block, 8 bytes in without_exceptions
    lose_array(new (std::nothrow) short[9]); // LEAK: 1 block, 18 bytes in without_exceptions
}

struct alignas(64) Line {
    char bytes[128];
};

static NOINLINE void aligned() {
    lose(new Line);          // LEAK: 1 block, 128 bytes in aligned
    lose_array(new Line[3]); // LEAK: 1 block, 384 bytes in aligned
}

static NOINLINE void strings() {
    // The object of 32 bytes, and its text with the zero at the end.
    // LEAK: 2 blocks, 233 bytes in strings
    lose(new std::string(200, 'x'));
}

static NOINLINE void vectors() {
    // The object of 24 bytes, and fifty numbers.
    // LEAK: 2 blocks, 224 bytes in vectors
    lose(new std::vector<int>(50));
}

template <class T> static NOINLINE T *make(T value) {
    // LEAK: 1 block, 1 byte in make, called by templates
    // LEAK: 3 blocks, 24 bytes in make, called by templates
    T *made = new T(value);
    escape(made);
    return made;
}

static NOINLINE void templates() {
    lose(make<char>('c'));
    for (int i = 0; i < 3; i++)
        lose(make<double>(1.5));
}

static NOINLINE void released() {
    lose(std::make_unique<shelf::Record>().release()); // LEAK: 1 block, 24 bytes in released
}

struct Node {
    std::shared_ptr<Node> next;
    std::uint64_t payload[4] = {};
};

// Each holds the other; a block is the node with the two counters and the table in front of it.
static NOINLINE void cycle() {
    auto first = std::make_shared<Node>();  // LEAK: 1 block, 64 bytes in cycle
    auto second = std::make_shared<Node>(); // LEAK: 1 block, 64 bytes in cycle
    first->next = second;
    second->next = first;
    if (clean)
        first->next.reset();
}

static NOINLINE void throws_before_delete() {
    int *numbers = new int[25]; // LEAK: 1 block, 100 bytes in throws_before_delete
    escape(numbers);
    if (clean)
        delete[] numbers;
    throw std::runtime_error("thrown as planned");
}

static void in_thread() {
    for (int i = 0; i < 6; i++)
        lose(new std::uint64_t(i)); // LEAK: 6 blocks, 48 bytes in in_thread
}

int main(int argc, char **argv) {
    clean = argc > 1 && std::strcmp(argv[1], "clean") == 0;
    std::unique_ptr<shelf::Shelf> wooden = std::make_unique<shelf::Wooden>();
    wooden->put(4);
    arrays();
    without_exceptions();
    aligned();
    strings();
    vectors();
    templates();
    released();
    cycle();
    try {
        throws_before_delete();
    } catch (const std::runtime_error &error) {
        std::puts(error.what());
    }
    std::thread(in_thread).join();
    std::puts(clean ? "freed everything" : "leaked as planned");
    return 0;
}
