// One mistake with a block of C++'s, or none:
//
//     misuse KIND SIZE

#include <cstdlib>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline, noclone))

namespace {

template <typename T> NOINLINE T *hidden(T *pointer) {
    __asm__ volatile("" : "+r"(pointer) : : "memory");
    return pointer;
}

struct Base {
    // No virtual destructor: deleting by this type names its size.
    char bytes[16];
};

struct Derived : Base {
    char more[100];
};

NOINLINE char *allocate_it(const std::string &with, std::size_t size) {
    if (with == "malloc")
        return hidden(static_cast<char *>(std::malloc(size)));
    if (with == "new")
        return hidden(static_cast<char *>(::operator new(size)));
    if (with == "new[]")
        return hidden(new char[size]);
    return hidden(static_cast<char *>(::operator new(size, std::align_val_t(64))));
}

NOINLINE void free_it(const std::string &with, char *block, std::size_t size) {
    if (with == "free")
        std::free(block);
    else if (with == "delete")
        ::operator delete(block);
    else if (with == "sized")
        ::operator delete(block, size);
    else if (with == "sized[]")
        ::operator delete[](block, size);
    else if (with == "sized-aligned")
        ::operator delete(block, size, std::align_val_t(64));
    else if (with == "delete[]")
        delete[] block;
    else
        ::operator delete(block, std::align_val_t(64));
    hidden(block);
}

// KIND is ALLOCATOR/DEALLOCATOR, the block of the one freed by the other.
NOINLINE void mix(const std::string &kind, std::size_t size) {
    auto slash = kind.find('/');
    char *block = allocate_it(kind.substr(0, slash), size);
    std::memset(block, 'x', size);
    free_it(kind.substr(slash + 1), block, size);
}

NOINLINE void delete_by_base() {
    Base *object = hidden(static_cast<Base *>(new Derived));
    delete object;
    hidden(object);
}

NOINLINE void overflow_vector(std::size_t size) {
    std::vector<char> values(size);
    hidden(values.data())[size] = 'y';
}

NOINLINE void write_freed_string(std::size_t size) {
    auto *text = new std::string(size, 'x');
    char *bytes = hidden(text->data());
    delete text;
    hidden(bytes)[0] = 'y';
}

NOINLINE void write_empty(std::size_t size) {
    char *none = hidden(new char[size - size]);
    hidden(none)[0] = 'y';
    delete[] none;
}

NOINLINE void delete_twice(std::size_t size) {
    char *block = hidden(new char[size]);
    delete[] block;
    delete[] hidden(block);
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3)
        return 96;
    std::string kind = argv[1];
    std::size_t size = std::strtoul(argv[2], nullptr, 10);
    if (kind == "base")
        delete_by_base();
    else if (kind == "vector")
        overflow_vector(size);
    else if (kind == "string")
        write_freed_string(size);
    else if (kind == "empty")
        write_empty(size);
    else if (kind == "twice")
        delete_twice(size);
    else if (kind == "wrong-size")
        free_it("sized", allocate_it("new", size), size + 1);
    else if (kind == "wrong-class")
        free_it("sized", allocate_it("new", size), size * 2 + 100);
    else if (kind == "wrong-class[]")
        free_it("sized[]", allocate_it("new[]", size), size / 4);
    else if (kind == "wrong-class-aligned")
        free_it("sized-aligned", allocate_it("aligned", size), size * 2 + 100);
    else
        mix(kind, size);
    return 0;
}
