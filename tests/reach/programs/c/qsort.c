// Blocks allocated in callbacks of the C library.
#include "../plant.h"

static int compares(const void *one, const void *other) {
    static int calls;
    if (calls++ == 0)
        lose(calloc(1, 53)); // LEAK lost 1 block 53 bytes
    return *(const int *)one - *(const int *)other;
}

static void plant(void) {
    int numbers[] = {5, 3, 8, 1, 9, 2};
    qsort(numbers, 6, sizeof numbers[0], compares);
    seen(numbers);
}
