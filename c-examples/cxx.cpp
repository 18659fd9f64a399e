// C++ on Heapsight: new, delete and everything in the standard library, without a change.
//
// Linking replaces the global operators. The header is C, and C++ can include it.

#undef NDEBUG
#include <algorithm>
#include <cassert>
#include <cstdint>
#include <heapsight.h>
#include <iostream>
#include <map>
#include <memory>
#include <new>
#include <numeric>
#include <string>
#include <vector>

// A block that the compiler cannot prove to be unused.
template <class T> static T *used(T *block) {
    asm volatile("" : : "r"(block) : "memory");
    return block;
}

static std::uint64_t blocks_in_use() {
    heapsight_stats_t stats;
    assert(heapsight_stats(&stats));
    return stats.current_allocations;
}

static void containers() {
    std::uint64_t before = blocks_in_use();
    std::vector<std::string> words;
    for (int i = 0; i < 1000; i++)
        words.push_back("a word too long for the string itself, number " + std::to_string(i));
    std::map<std::size_t, int> lengths;
    for (const std::string &word : words)
        lengths[word.size()]++;
    assert(lengths.size() == 3);
    assert(blocks_in_use() - before >= 1000);
    std::cout << words.size() << " words of " << lengths.size() << " lengths\n";
}

struct alignas(128) Wide {
    std::uint8_t lanes[256];
};

static void aligned_new() {
    auto one = std::make_unique<Wide>();
    auto many = std::make_unique<Wide[]>(5);
    assert(reinterpret_cast<std::uintptr_t>(used(one.get())) % 128 == 0);
    assert(reinterpret_cast<std::uintptr_t>(used(&many[4])) % 128 == 0);
}

static int handler_calls = 0;

static void out_of_memory() {
    volatile std::size_t impossible = SIZE_MAX / 2;
    // nothrow answers with null, plain new throws, and a new_handler is asked before it does.
    char *none = new (std::nothrow) char[impossible];
    assert(used(none) == nullptr);
    std::set_new_handler([] {
        handler_calls++;
        std::set_new_handler(nullptr);
    });
    bool thrown = false;
    try {
        used(new char[impossible]);
    } catch (const std::bad_alloc &) {
        thrown = true;
    }
    assert(thrown && handler_calls == 1);
}

static void single_blocks() {
    std::uint64_t before = blocks_in_use();
    int *number = used(new int(7));
    long *numbers = used(new long[100]());
    assert(blocks_in_use() - before == 2);
    assert(std::accumulate(numbers, numbers + 100, 0L) == 0);
    delete number;
    delete[] numbers;
    // Zero bytes are a block of its own, and deleting nothing is nothing.
    char *empty = used(new char[0]);
    char *other = used(new char[0]);
    assert(empty != nullptr && empty != other);
    delete[] empty;
    delete[] other;
    delete static_cast<int *>(nullptr);
    assert(blocks_in_use() == before);
}

int main() {
    heapsight_config config = {"track=stats"};
    assert(heapsight_init(&config));
    // The stream's own buffers are there before we count.
    std::cout << "C++ on Heapsight" << std::endl;
    std::uint64_t before = blocks_in_use();
    containers();
    aligned_new();
    out_of_memory();
    single_blocks();
    assert(blocks_in_use() == before);
    std::cout << "every block came back" << std::endl;
    return 0;
}
