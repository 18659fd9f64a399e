// Blocks that functions of the C library hand to the program.
#include "../plant.h"
#include <stdio.h>
#include <wchar.h>

static char *variable;

static void plant(void) {
    char *text = NULL;
    lose(strdup("a text of 23 characters")); // LEAK lost 1 block 24 bytes
    lose(strndup("twenty-one characters", 9)); // LEAK lost 1 block 10 bytes
    lose(wcsdup(L"wide")); // LEAK lost 1 block 20 bytes
    lose(realpath("/", (char *)NULL)); // LEAK lost 1 block 2 bytes
    if (asprintf(&text, "%d numbers", 12) > 0) // LEAK lost 1 block 11 bytes
        lose(text);
    variable = strdup("PLANTED=in the environment"); // LEAK reachable 1 block 27 bytes
    putenv(variable); // LIBRARY the environment
    variable = NULL;
}
