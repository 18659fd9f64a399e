// What a library has made is deleted here, or what was made here is ended by the library:
//
//     user made|sized|ended

#include <cstddef>
#include <cstring>
#include <new>

namespace library {
void *make_it(std::size_t size);
void end_it(void *block);
} // namespace library

int main(int, char **arguments) {
    for (int turn = 0; turn < 3; turn++) {
        if (std::strcmp(arguments[1], "made") == 0)
            ::operator delete(library::make_it(40));
        else if (std::strcmp(arguments[1], "sized") == 0)
            ::operator delete(library::make_it(40), std::size_t(40));
        else
            library::end_it(::operator new(40));
    }
    return 0;
}
