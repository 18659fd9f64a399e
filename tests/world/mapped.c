// Looks for leaks while ever more pieces of memory are mapped, each by itself: the lists that a
// check makes of them must grow, and what they leave behind as they do is no memory of the program.
//   FIRST LAST  how many pieces there are in the first check, and in the last

#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

// Below all that the system places by itself: what is listed there is listed first.
#define PLACE ((char *)0x200000000)

static void *volatile held;
static long page;
static int mapped;

// Every second page is the program's, and none of them can be joined with its neighbour.
static void map_until(int wanted) {
    for (; mapped < wanted; mapped++) {
        char *place = PLACE + 2L * mapped * page;
        int how = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;
        if (mmap(place, page, PROT_READ | PROT_WRITE, how, -1, 0) != place) {
            perror("mmap");
            exit(2);
        }
    }
}

int main(int count, char **words) {
    if (count != 3)
        return 2;
    int first = atoi(words[1]), last = atoi(words[2]);
    held = malloc(100);
    page = sysconf(_SC_PAGESIZE);
    for (int wanted = first; wanted <= last; wanted++) {
        map_until(wanted);
        pid_t child = fork();
        if (child == 0)
            exit(0);
        int status;
        waitpid(child, &status, 0);
        if (status != 0) {
            printf("%d pieces: status %#x\n", wanted, status);
            return 1;
        }
    }
    return 0;
}
