//! What happens to a block, and which counters it belongs to.

use crate::format::layout::{CLASSES, LIVES};
use crate::heap::class::{BLOCK_SIZE_MAX, CLASS_COUNT, ClassId};

/// Class cells from here on count large blocks, by the power of two they fit in.
const LARGE_FIRST: usize = 96;
const _: () = assert!(CLASS_COUNT <= LARGE_FIRST);

/// A block handed out or freed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// See [`super::columns::Columns::identity`].
    pub(super) block: usize,
    /// Bytes asked for.
    pub(super) size: usize,
    /// How many blocks it stands for.
    pub(super) weight: u64,
    /// Index of its class cell.
    pub(super) class: usize,
}

impl Event {
    /// Bytes it stands for.
    #[inline(always)]
    pub(super) fn bytes(&self) -> u64 {
        self.size as u64 * self.weight
    }
}

/// The class cell of a large block.
pub(super) fn large_class_cell(size: usize) -> usize {
    let doublings = (size.saturating_sub(1) / BLOCK_SIZE_MAX).max(1).ilog2() as usize;
    LARGE_FIRST + doublings.min(CLASSES - 1 - LARGE_FIRST)
}

/// Largest block that a class cell counts.
pub(super) fn class_cell_size(index: usize) -> u64 {
    match index {
        _ if index < CLASS_COUNT => ClassId::from_index(index).block_size() as u64,
        LARGE_FIRST.. => (BLOCK_SIZE_MAX as u64) << (index - LARGE_FIRST + 1),
        _ => 0,
    }
}

/// Which of the counts of freed blocks takes those that are temporary.
pub(super) const TEMPORARY: usize = 0;

/// Which one takes those that lived so long, in bytes of the allocation clock.
#[inline]
pub(super) fn life_of(bytes: u64) -> usize {
    (1 + (bytes >> 8 | 1).ilog2() as usize / 2).min(LIVES - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_fits_in_its_class_and_not_in_the_one_before() {
        for size in [BLOCK_SIZE_MAX + 1, 1 << 20, (1 << 20) + 1, 5 << 20, 1 << 30] {
            let cell = large_class_cell(size);
            assert!(size as u64 <= class_cell_size(cell), "{size}");
            assert!(cell == LARGE_FIRST || size as u64 > class_cell_size(cell - 1), "{size}");
        }
    }

    #[test]
    fn lifetimes_quadruple_from_bucket_to_bucket() {
        for (bytes, life) in [(0, 1), (1023, 1), (1024, 2), (4095, 2), (4096, 3), (1 << 52, 15)] {
            assert_eq!(life_of(bytes), life, "{bytes}");
        }
    }
}
