// One mistake with a copy that C++'s library makes, or none:
//
//     copies KIND SIZE

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

#define NOINLINE __attribute__((noinline, noclone))

namespace {

template <typename T> NOINLINE T hidden(T value) {
    __asm__ volatile("" : "+r"(value) : : "memory");
    return value;
}

NOINLINE void copy_vector(std::size_t size, std::size_t more) {
    std::vector<char> from(size, 'x'), to(size, 'y');
    std::copy(hidden(from.data()), hidden(from.data()) + size + hidden(more), hidden(to.data()));
}

NOINLINE void fill_array(std::size_t size, std::size_t more) {
    char *bytes = hidden(new char[size]);
    std::fill(bytes, bytes + size + hidden(more), hidden('z'));
    delete[] bytes;
}

} // namespace

int main(int argc, char **argv) {
    if (argc < 3)
        return 96;
    std::string kind = argv[1];
    std::size_t size = std::strtoul(argv[2], nullptr, 10);
    std::size_t more = kind == "none" ? 0 : 8;
    if (kind == "none" || kind == "copy")
        copy_vector(size, more);
    if (kind == "none" || kind == "fill")
        fill_array(size, more);
    return 0;
}
