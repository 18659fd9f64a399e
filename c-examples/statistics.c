// Counts what a piece of code allocates.
//
// The counters are exact, in blocks and in bytes asked for. Heapsight's own records do not count.

#undef NDEBUG
#include <assert.h>
#include <heapsight.h>
#include <stdio.h>
#include <stdlib.h>

// The compiler may remove a block that nobody looks at; a volatile pointer is looked at.
static void *volatile blocks[10];

static heapsight_stats_t now(void) {
    heapsight_stats_t stats;
    assert(heapsight_stats(&stats));
    return stats;
}

int main(void) {
    // Nothing is tracked unless asked for, and then there is nothing to tell.
    heapsight_stats_t stats;
    assert(!heapsight_stats(&stats) && stats.total_allocations == 0);

    // `stats` counts; `full` would also remember who allocated each block.
    heapsight_config config = {.options = "track=stats"};
    assert(heapsight_init(&config));

    heapsight_stats_t before = now();
    for (int i = 0; i < 10; i++)
        blocks[i] = malloc(100);
    heapsight_stats_t during = now();
    assert(during.total_allocations - before.total_allocations == 10);
    assert(during.current_allocations - before.current_allocations == 10);
    assert(during.current_bytes - before.current_bytes == 1000);
    assert(during.bytes_allocated - before.bytes_allocated == 1000);

    // A realloc counts as one allocation and one deallocation, wherever the block ends up.
    blocks[0] = realloc(blocks[0], 500);
    heapsight_stats_t grown = now();
    assert(grown.total_allocations - during.total_allocations == 1);
    assert(grown.total_deallocations - during.total_deallocations == 1);
    assert(grown.current_allocations == during.current_allocations);
    assert(grown.current_bytes - during.current_bytes == 400);

    for (int i = 0; i < 10; i++)
        free(blocks[i]);
    heapsight_stats_t after = now();
    assert(after.current_allocations == before.current_allocations);
    assert(after.current_bytes == before.current_bytes);
    assert(after.peak_bytes >= before.current_bytes + 1400);
    assert(after.total_deallocations - before.total_deallocations == 11);
    assert(after.bytes_deallocated - before.bytes_deallocated == 1500);

    // A new measurement: totals from zero, peaks from what is in use.
    heapsight_reset_stats();
    heapsight_stats_t reset = now();
    assert(reset.total_allocations == 0 && reset.bytes_allocated == 0);
    assert(reset.peak_bytes == reset.current_bytes);

    printf("10 blocks: %d bytes at the peak, 0 at the end\n", 1400);
    fflush(stdout);
    heapsight_print_stats();
    return 0;
}
