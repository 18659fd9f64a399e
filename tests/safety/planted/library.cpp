// A library with or without operators of its own: what it makes, others may delete, and the other
// way round.

#include <cstdlib>

#ifdef OPERATORS
#include <new>
// More than is asked for: whoever compared sizes would see it.
HIDDEN void *operator new(std::size_t size) {
    void *block = std::malloc(size + 16);
    if (block == nullptr)
        throw std::bad_alloc();
    return block;
}
HIDDEN void operator delete(void *block) noexcept { std::free(block); }
HIDDEN void operator delete(void *block, std::size_t) noexcept { std::free(block); }
#define MAKE(size) ::operator new(size)
#define END(block) ::operator delete(block)
#else
#define MAKE(size) std::malloc(size)
#define END(block) std::free(block)
#endif

namespace library {
__attribute__((visibility("default"), noinline)) void *make_it(std::size_t size) {
    void *block = MAKE(size);
    __asm__ volatile("" : "+r"(block) : : "memory");
    return block;
}
__attribute__((visibility("default"), noinline)) void end_it(void *block) {
    END(block);
    __asm__ volatile("" : : : "memory");
}
} // namespace library
