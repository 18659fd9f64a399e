// malloc, c_free and c_realloc: for programs that know the size of every block they hold.
//
// The sizes are checked against the blocks. A wrong one is a bug in the program, so it is reported
// on stderr; the block is freed or resized all the same, by its real size.

#undef NDEBUG
#include <assert.h>
#include <heapsight.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// A stack of numbers that doubles when it is full, as a virtual machine keeps one.
typedef struct {
    int *values;
    size_t count;
    size_t capacity;
} Stack;

static void push(Stack *stack, int value) {
    if (stack->count == stack->capacity) {
        size_t capacity = stack->capacity == 0 ? 4 : stack->capacity * 2;
        // A null block of old size zero is how a growing array begins.
        stack->values = c_realloc(stack->values, stack->capacity * sizeof *stack->values,
                                  capacity * sizeof *stack->values);
        assert(stack->values != NULL);
        stack->capacity = capacity;
    }
    stack->values[stack->count++] = value;
}

int main(void) {
    Stack stack = {NULL, 0, 0};
    for (int i = 0; i < 1000; i++)
        push(&stack, i * i);
    for (int i = 0; i < 1000; i++)
        assert(stack.values[i] == i * i);
    printf("pushed %zu values, room for %zu\n", stack.count, stack.capacity);
    c_free(stack.values, stack.capacity * sizeof *stack.values);

    // malloc and c_free go together, and null is as free as ever.
    char *text = malloc(100);
    assert(text != NULL);
    memset(text, 'x', 100);
    c_free(text, 100);
    c_free(NULL, 0);

    // Zero says that the size is not known, and a new size of zero frees.
    void *block = malloc(10);
    block = c_realloc(block, 0, 5000);
    assert(block != NULL);
    block = c_realloc(block, 5000, 0);
    assert(block == NULL);

    // The bug that the sizes are there for: the program believes in a larger block than it has.
    printf("the sizes were checked\n");
    fflush(stdout);
    fprintf(stderr, "one size mismatch ends this program, unless safety_action says otherwise:\n");
    c_free(malloc(100), 100000);
    return 0;
}
