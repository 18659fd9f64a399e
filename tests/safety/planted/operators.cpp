// Operators of the program's own, which ask for more than their caller does; deleting by size is left
// to others.

#include <cstdlib>
#include <new>

void *operator new(std::size_t size) { return std::malloc(size + 300); }
void operator delete(void *block) noexcept { std::free(block); }

struct Object {
    char bytes[40];
};

int main() {
    Object *object = new Object;
    __asm__ volatile("" : "+r"(object) : : "memory");
    delete object;
    return 0;
}
