/* The functions that make blocks, and those that free what they have made. */
#ifndef STRESS_FAMILY_H
#define STRESS_FAMILY_H

#include <stdbool.h>

#include "block.h"

/* Allocates `size` bytes by a random function, and describes the block but for its contents. True:
   the function promises zeros. */
bool made(struct block *block, size_t size, struct random *random);

/* Frees a block by a function that fits, which one its seed says. */
void unmake(const struct block *block);

#endif
