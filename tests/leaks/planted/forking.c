// A parent and its child, made by fork, each lose blocks of their own, and the child also what it
// inherited. Each process reports for itself.
//
// Usage: forking

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static __attribute__((noinline)) void lose(size_t size) {
    void *block = malloc(size);
    __asm__ volatile("" : : "r"(block) : "memory");
}

static __attribute__((noinline)) void before_fork(void) {
    lose(1000);
}

static __attribute__((noinline)) void in_child(void) {
    lose(2000);
}

static __attribute__((noinline)) void in_parent(void) {
    lose(3000);
}

int main(void) {
    before_fork();
    pid_t child = fork();
    if (child < 0)
        return 1;
    if (child == 0) {
        in_child();
        return 0;
    }
    in_parent();
    int status = 0;
    if (waitpid(child, &status, 0) != child || status != 0)
        return 2;
    printf("%d %d\n", (int)getpid(), (int)child);
    return 0;
}
