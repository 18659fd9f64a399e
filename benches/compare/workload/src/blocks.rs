//! Zeroed blocks and big ones: where the kernel's pages, and knowing what is still zero, decide.

use std::time::Instant;

use crate::Measured;
use crate::heap::Block;
use crate::random::Random;
use crate::replace::replace;

/// Live blocks of the big workloads.
const BIG_SLOTS: usize = 32;

/// A population of small zeroed blocks.
pub fn calloc_small(operations: u64) -> Measured {
    replace(operations, |random| Block::allocate_zeroed(random.size(3, 10)))
}

/// Large zeroed blocks, one at a time, each page written.
pub fn calloc_large(operations: u64) -> Measured {
    let mut random = Random::new(6);
    let start = Instant::now();
    for _ in 0..operations {
        let size = random.size(20, 23);
        let block = Block::allocate_zeroed(size);
        block.touch_pages(0, size);
        block.release();
    }
    Measured { operations, elapsed: start.elapsed() }
}

/// A small population of big blocks, each page written.
pub fn big(operations: u64) -> Measured {
    big_blocks(operations, |size| {
        let block = Block::allocate(size);
        block.touch_pages(0, size);
        block
    })
}

/// A small population of big blocks nobody fills: the price of the block without its pages.
pub fn untouched(operations: u64) -> Measured {
    big_blocks(operations, Block::allocate)
}

fn big_blocks(operations: u64, allocate: impl Fn(usize) -> Block) -> Measured {
    let mut random = Random::new(7);
    let mut slots: Vec<Option<Block>> = vec![None; BIG_SLOTS];
    let start = Instant::now();
    for _ in 0..operations {
        let slot = &mut slots[random.below(BIG_SLOTS)];
        if let Some(block) = slot.take() {
            block.release();
        }
        *slot = Some(allocate(random.size(16, 24)));
    }
    let elapsed = start.elapsed();
    slots.into_iter().flatten().for_each(Block::release);
    Measured { operations, elapsed }
}
