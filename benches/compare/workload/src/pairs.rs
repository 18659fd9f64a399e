//! Blocks that die young: the fast paths and nothing else.

use std::time::Instant;

use crate::Measured;
use crate::heap::Block;
use crate::random::Random;

/// Blocks of one batch.
const BATCH: usize = 500;

/// One block of `SIZE` bytes at a time.
pub fn pair<const SIZE: usize>(operations: u64) -> Measured {
    let start = Instant::now();
    for _ in 0..operations {
        Block::allocate(SIZE).release();
    }
    Measured { operations, elapsed: start.elapsed() }
}

/// A batch is allocated, then freed newest first, as a stack of calls frees.
pub fn lifo(operations: u64) -> Measured {
    batches(operations, |blocks| blocks.iter().rev().for_each(|block| block.release()))
}

/// A batch is allocated, then freed oldest first, as a queue frees.
pub fn fifo(operations: u64) -> Measured {
    batches(operations, |blocks| blocks.iter().for_each(|block| block.release()))
}

fn batches(operations: u64, release: fn(&[Block])) -> Measured {
    let mut random = Random::new(1);
    let sizes: Vec<usize> = (0..BATCH).map(|_| random.size(4, 8)).collect();
    let mut blocks = Vec::with_capacity(BATCH);
    let rounds = operations.div_ceil(BATCH as u64);
    let start = Instant::now();
    for _ in 0..rounds {
        blocks.extend(sizes.iter().map(|&size| Block::allocate(size)));
        release(&blocks);
        blocks.clear();
    }
    Measured { operations: rounds * BATCH as u64, elapsed: start.elapsed() }
}
