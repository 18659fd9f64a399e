/* Slots through which threads hand blocks to each other. */
#ifndef STRESS_SHARED_H
#define STRESS_SHARED_H

#include "block.h"

enum { SHARED_SLOTS = 512 };

/* Puts `block` into a slot and gets what the slot held (possibly no block) in its place. Leaves
   `block` alone when another thread is using the slot at this moment. */
void shared_swap(size_t slot, struct block *block);

/* Checks and frees every block in the slots; none may be in use by a thread that still runs. A slot
   that a thread was using when the process forked stays as it is. */
void shared_drain(void);

#endif
