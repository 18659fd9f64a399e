/* Each slot is guarded by a flag that is only ever tried, never waited for: a child forked while
   another thread held it must be able to pass by. */
#include "shared.h"

#include <stdatomic.h>

static struct slot {
    atomic_flag busy;
    struct block block;
} slots[SHARED_SLOTS];

void shared_swap(size_t slot, struct block *block)
{
    struct slot *chosen = &slots[slot % SHARED_SLOTS];
    if (atomic_flag_test_and_set_explicit(&chosen->busy, memory_order_acquire))
        return;
    struct block held = chosen->block;
    chosen->block = *block;
    *block = held;
    atomic_flag_clear_explicit(&chosen->busy, memory_order_release);
}

void shared_drain(void)
{
    for (size_t slot = 0; slot < SHARED_SLOTS; slot++) {
        struct block taken = { 0 };
        shared_swap(slot, &taken);
        if (taken.ptr != NULL)
            block_release(&taken);
    }
}
