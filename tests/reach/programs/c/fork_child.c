// A child answers for what it allocated itself, and the parent for its own.
#include "../plant.h"
#include <stdio.h>
#include <sys/wait.h>

static void plant(void) {
    void *volatile inherited = calloc(1, 46);
    pid_t child = fork();
    if (child == 0) {
        lose(calloc(1, 47)); // LEAK lost 1 block 47 bytes
        dprintf(1, "report %d\n", getpid());
        free((void *)inherited);
        inherited = NULL;
        return;
    }
    waitpid(child, NULL, 0);
    free((void *)inherited);
    inherited = NULL;
}
