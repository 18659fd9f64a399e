//! A steady population of blocks in which a random one is replaced: what a long-running program
//! does to its heap.

use std::time::Instant;

use crate::Measured;
use crate::heap::Block;
use crate::random::Random;

/// Live blocks of a population.
pub const SLOTS: usize = 10_000;

/// Small blocks: the working set fits a cache.
pub fn small(operations: u64) -> Measured {
    replace(operations, |random| Block::allocate(random.size(3, 9)))
}

/// Blocks across many size classes: the working set is tens of megabytes.
pub fn mixed(operations: u64) -> Measured {
    replace(operations, |random| Block::allocate(random.size(3, 15)))
}

/// Blocks with an alignment larger than malloc's own.
pub fn aligned(operations: u64) -> Measured {
    replace(operations, |random| {
        let alignment = 32 << random.below(7);
        Block::allocate_aligned(alignment, random.size(4, 10))
    })
}

/// Fills the population, then measures `operations` replacements.
pub fn replace(operations: u64, allocate: impl Fn(&mut Random) -> Block) -> Measured {
    let mut random = Random::new(2);
    let mut slots: Vec<Block> = (0..SLOTS).map(|_| allocate(&mut random)).collect();
    let start = Instant::now();
    replace_slots(&mut slots, operations, &mut random, allocate);
    let elapsed = start.elapsed();
    slots.into_iter().for_each(Block::release);
    Measured { operations, elapsed }
}

/// Frees and reallocates a random slot, `operations` times.
pub fn replace_slots(
    slots: &mut [Block],
    operations: u64,
    random: &mut Random,
    allocate: impl Fn(&mut Random) -> Block,
) {
    for _ in 0..operations {
        let slot = &mut slots[random.below(slots.len())];
        slot.release();
        *slot = allocate(random);
    }
}
