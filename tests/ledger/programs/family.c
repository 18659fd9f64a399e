// Forks a child, which forks another one that becomes a new program. Each allocates in functions of
// its own. Prints the process ids of all three.
//
// Usage: family            the whole family
//        family exec'd     what the grandchild becomes

#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#define OWN __attribute__((noinline))

static char *kept[64];
static int count;

static void keep(char *block) {
    block[0] = 1;
    kept[count++] = block;
}

OWN static void of_parent(void) {
    keep(malloc(1000));
}

OWN static void of_child(void) {
    keep(malloc(200));
}

OWN static void of_grandchild(void) {
    keep(malloc(30));
}

OWN static void of_new_program(void) {
    keep(malloc(4));
}

static void times(int n, void (*function)(void)) {
    for (int i = 0; i < n; i++)
        function();
}

static void wait_for(pid_t process) {
    int status;
    if (waitpid(process, &status, 0) != process || status != 0)
        exit(1);
}

// Not by printf, which would allocate.
static void print(pid_t process) {
    char text[16], *digit = text + sizeof text;
    *--digit = '\n';
    for (; process > 0; process /= 10)
        *--digit = '0' + process % 10;
    if (write(1, digit, text + sizeof text - digit) < 0)
        _exit(1);
}

static void grandchild(char **argv) {
    times(6, of_grandchild);
    execl("/proc/self/exe", argv[0], "exec'd", NULL);
    _exit(1);
}

static void child(char **argv) {
    // What it has inherited is not its to count.
    for (int i = 0; i < 3; i++)
        free(kept[i]);
    times(5, of_child);
    pid_t process = fork();
    if (process == 0)
        grandchild(argv);
    wait_for(process);
    times(2, of_child);
    free(kept[count - 1]);
    print(getpid());
    print(process);
}

int main(int argc, char **argv) {
    if (argc > 1) {
        times(9, of_new_program);
        return 0;
    }
    times(10, of_parent);
    pid_t process = fork();
    if (process == 0) {
        child(argv);
        return 0;
    }
    wait_for(process);
    times(7, of_parent);
    free(kept[count - 1]);
    print(getpid());
    return 0;
}
