//! Blocks that grow by `realloc`, as vectors, strings and buffers do. The new part of a block is
//! written (one byte a page), so copying and providing pages both show.

use std::time::Instant;

use crate::Measured;
use crate::heap::Block;

/// Where one growing block starts and ends.
const SMALL: usize = 64;
const LARGE: usize = 64 << 20;
/// The blocks that grow in turn, and where they start and end.
const MANY: usize = 1_000;
const MANY_SMALL: usize = 16;
const MANY_LARGE: usize = 4 << 10;

/// A vector that doubles.
pub fn doubling(operations: u64) -> Measured {
    grow(operations, |size| size * 2)
}

/// A buffer that grows by a tenth.
pub fn tenths(operations: u64) -> Measured {
    grow(operations, |size| size + (size / 10).max(8))
}

/// Grows one block from small to large again and again, until `operations` calls are made.
fn grow(operations: u64, next: fn(usize) -> usize) -> Measured {
    let mut calls = 0;
    let start = Instant::now();
    while calls < operations {
        let mut size = SMALL;
        let mut block = Block::allocate(size);
        while size < LARGE {
            let larger = next(size).min(LARGE);
            block = block.resize(larger);
            block.touch_pages(size, larger);
            size = larger;
            calls += 1;
        }
        block.release();
    }
    Measured { operations: calls, elapsed: start.elapsed() }
}

/// Many blocks doubled in turn, so that none has free room behind it.
pub fn many(operations: u64) -> Measured {
    let mut blocks = Vec::with_capacity(MANY);
    let mut calls = 0;
    let start = Instant::now();
    while calls < operations {
        blocks.extend((0..MANY).map(|_| Block::allocate(MANY_SMALL)));
        let mut size = MANY_SMALL;
        while size < MANY_LARGE {
            for block in &mut blocks {
                *block = block.resize(size * 2);
                block.touch_pages(size, size * 2);
            }
            size *= 2;
            calls += MANY as u64;
        }
        blocks.drain(..).for_each(Block::release);
    }
    Measured { operations: calls, elapsed: start.elapsed() }
}
