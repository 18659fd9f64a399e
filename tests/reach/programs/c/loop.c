// Several blocks of one line, and zeroed ones.
#include "../plant.h"

static void plant(void) {
    for (int i = 0; i < 3; i++)
        lose(malloc(24)); // LEAK lost 3 blocks 72 bytes
    for (int i = 0; i < 5; i++)
        lose(calloc(3, 33)); // LEAK lost 5 blocks 495 bytes
}
