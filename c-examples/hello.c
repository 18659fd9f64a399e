// The smallest program that uses Heapsight by its own names.
//
// Linking with -lheapsight already puts every malloc of the program on Heapsight. The prefixed
// functions are the same heap under names that nothing else can take.

#undef NDEBUG
#include <assert.h>
#include <heapsight.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int main(void) {
    char *greeting = heapsight_malloc(6);
    assert(greeting != NULL);
    strcpy(greeting, "hello");

    // Growing keeps what is in the block, and may move it.
    greeting = heapsight_realloc(greeting, 64);
    assert(greeting != NULL);
    strcat(greeting, ", heap");
    assert(heapsight_usable_size(greeting) >= 64);
    printf("%s\n", greeting);
    heapsight_free(greeting);

    // calloc zeroes, and notices when the product is too large for any memory.
    unsigned *counts = heapsight_calloc(1000, sizeof *counts);
    assert(counts != NULL && counts[0] == 0 && counts[999] == 0);
    assert(heapsight_calloc(SIZE_MAX / 2, 4) == NULL);

    // It is one heap: plain free takes what heapsight_calloc gave.
    free(counts);

    // The whole heap can be checked for corruption while no other thread uses it.
    assert(heapsight_check_heap() == 0);
    printf("the heap is sound\n");
    return 0;
}
