//! Size classes: which block size serves a request, and how big a slab it is cut from.
//!
//! 16…256 in steps of 16, then eight classes a doubling up to 8 KiB, then four up to 512 KiB.
//! Rounding wastes at most 15 bytes up to 256, 11 % of a block up to 8 KiB, 20 % above (of address
//! space: untouched pages cost nothing). Three more classes, 24, 40 and 56, serve Rust layouts
//! aligned to 8 or less; C's `malloc` must align to 16 and never gets them.

use crate::base::arith::round_up;

/// Number of size classes.
pub(crate) const CLASS_COUNT: usize = FINE_FIRST + FINE.len();
/// Largest request that is served from a slab; above it a block is its own span.
pub(crate) const BLOCK_SIZE_MAX: usize = 512 << 10;
/// Largest request that the fast path serves, through [`ClassId::for_small`].
pub(crate) const SMALL_MAX: usize = 1024;
/// Bytes of a slice, the unit in which a region is handed out.
pub(crate) const SLICE: usize = 64 << 10;
/// What every block of the C face is aligned to.
pub(crate) const ALIGN_MIN: usize = 16;

const LINEAR_LAST: usize = 256;
const EIGHTHS_LAST: usize = 8 << 10;
const EIGHTHS_FIRST_ID: usize = LINEAR_LAST / 16;
const QUARTERS_FIRST_ID: usize = EIGHTHS_FIRST_ID + 8 * 5;
const FINE_FIRST: usize = QUARTERS_FIRST_ID + 4 * 6;
const FINE: [usize; 3] = [24, 40, 56];

/// A size class. Always below [`CLASS_COUNT`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClassId(u8);

impl ClassId {
    /// The class of a request of the C face; `None` above [`BLOCK_SIZE_MAX`].
    #[inline]
    pub(crate) const fn for_size(size: usize) -> Option<Self> {
        if size <= SMALL_MAX {
            Some(Self::for_small(size))
        } else if size <= BLOCK_SIZE_MAX {
            Some(Self::compute(size))
        } else {
            None
        }
    }

    /// The class of a request of at most [`SMALL_MAX`] bytes: one load from a table.
    #[inline(always)]
    pub(crate) const fn for_small(size: usize) -> Self {
        debug_assert!(size <= SMALL_MAX);
        Self(SMALL[size.div_ceil(16)])
    }

    /// The class of a request of `size` bytes aligned to `align`, a power of two; `None` when only
    /// a span of its own will do.
    ///
    /// A slab starts on a slice boundary and carries no header, so its blocks are aligned to every
    /// power of two up to a slice that divides their size.
    #[inline]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) const fn for_layout(size: usize, align: usize) -> Option<Self> {
        if align <= 8 && size <= 56 {
            return Some(Self(TINY[size.div_ceil(8)]));
        }
        if align <= ALIGN_MIN {
            return Self::for_size(size);
        }
        if align > SLICE || size > BLOCK_SIZE_MAX {
            return None;
        }
        let Some(mut class) = Self::for_size(round_up(if size == 0 { 1 } else { size }, align))
        else {
            return None;
        };
        while class.block_size() & (align - 1) != 0 {
            if class.index() + 1 == FINE_FIRST {
                return None;
            }
            class = Self(class.0 + 1);
        }
        Some(class)
    }

    /// Restores a class from the number that [`ClassId::index`] gave.
    #[inline]
    #[expect(clippy::cast_possible_truncation, reason = "below CLASS_COUNT, which fits")]
    pub(crate) const fn from_index(index: usize) -> Self {
        debug_assert!(index < CLASS_COUNT);
        Self(index as u8)
    }

    #[expect(clippy::cast_possible_truncation, reason = "every class id is below CLASS_COUNT")]
    const fn compute(size: usize) -> Self {
        if size <= LINEAR_LAST {
            return Self(size.div_ceil(16).saturating_sub(1) as u8);
        }
        let last = size - 1;
        let log = last.ilog2() as usize;
        if size <= EIGHTHS_LAST {
            Self((EIGHTHS_FIRST_ID + (log - 8) * 8 + (last >> (log - 3) & 7)) as u8)
        } else {
            Self((QUARTERS_FIRST_ID + (log - 13) * 4 + (last >> (log - 2) & 3)) as u8)
        }
    }

    #[inline(always)]
    pub(crate) const fn index(self) -> usize {
        self.0 as usize
    }

    /// Bytes of a block of this class.
    #[inline]
    pub(crate) const fn block_size(self) -> usize {
        BLOCK_SIZES[self.0 as usize] as usize
    }

    /// How many sizes the class serves, of which the largest is that of its blocks.
    pub(super) const fn spread(self) -> usize {
        match self.index() {
            // Zero bytes are served, too.
            0 => self.block_size() + 1,
            FINE_FIRST.. => 8,
            index => self.block_size() - BLOCK_SIZES[index - 1] as usize,
        }
    }

    /// Slices of a slab of this class: at least eight blocks fit in one.
    pub(crate) const fn slab_slices(self) -> usize {
        match self.block_size() {
            ..=0x2000 => 1,
            0x2001..=0x1_0000 => 8,
            _ => 64,
        }
    }

    /// Blocks of a slab of this class.
    pub(crate) const fn slab_blocks(self) -> usize {
        self.slab_slices() * SLICE / self.block_size()
    }

    /// Blocks of a slab whose blocks are samples. They are few, of many classes: whole slabs, and
    /// columns for them, would be more memory than the samples, taken from other classes.
    pub(super) const fn sampled_slab_blocks(self) -> usize {
        match SLICE / self.block_size() {
            0 => 1,
            blocks @ 1..64 => blocks,
            _ => 64,
        }
    }

    /// Slices of such a slab.
    pub(super) const fn sampled_slab_slices(self) -> usize {
        (self.sampled_slab_blocks() * self.block_size()).div_ceil(SLICE)
    }
}

#[expect(clippy::cast_possible_truncation, reason = "block sizes are at most 512 KiB")]
const BLOCK_SIZES: [u32; CLASS_COUNT] = {
    let mut sizes = [0; CLASS_COUNT];
    let mut id = 0;
    while id < CLASS_COUNT {
        sizes[id] = if id < EIGHTHS_FIRST_ID {
            (id + 1) * 16
        } else if id < QUARTERS_FIRST_ID {
            let log = 8 + (id - EIGHTHS_FIRST_ID) / 8;
            (1 << log) + (((id - EIGHTHS_FIRST_ID) % 8 + 1) << (log - 3))
        } else if id < FINE_FIRST {
            let log = 13 + (id - QUARTERS_FIRST_ID) / 4;
            (1 << log) + (((id - QUARTERS_FIRST_ID) % 4 + 1) << (log - 2))
        } else {
            FINE[id - FINE_FIRST]
        } as u32;
        id += 1;
    }
    sizes
};

const SMALL: [u8; SMALL_MAX / 16 + 1] = {
    let mut table = [0; SMALL_MAX / 16 + 1];
    let mut step = 1;
    while step < table.len() {
        table[step] = ClassId::compute(step * 16).0;
        step += 1;
    }
    table
};

/// By size in words: the class for 8-aligned requests up to 56 bytes.
const TINY: [u8; 8] = {
    let mut table = [0; 8];
    let mut words = 0;
    while words < table.len() {
        table[words] = ClassId::compute(words * 8).0;
        let mut fine = 0;
        while fine < FINE.len() {
            if FINE[fine] == words * 8 {
                table[words] = ClassId::from_index(FINE_FIRST + fine).0;
            }
            fine += 1;
        }
        words += 1;
    }
    table
};

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_size_fits_its_class_and_no_smaller_one() {
        for size in 0..=BLOCK_SIZE_MAX {
            let class = ClassId::for_size(size).unwrap();
            assert!(class.block_size() >= size.max(1), "{size}");
            if class.index() > 0 {
                let smaller = ClassId::from_index(class.index() - 1);
                assert!(smaller.block_size() < size, "{size}");
            }
        }
        assert_eq!(ClassId::for_size(BLOCK_SIZE_MAX + 1), None);
    }

    #[test]
    fn c_blocks_are_aligned_and_slabs_hold_eight() {
        for id in 0..CLASS_COUNT {
            let class = ClassId::from_index(id);
            assert!(class.slab_blocks() >= 8, "{id}");
            assert!(class.block_size().is_multiple_of(ALIGN_MIN) || id >= FINE_FIRST, "{id}");
        }
    }

    proptest! {
        #[test]
        fn layouts_get_their_alignment(size in 0usize..=BLOCK_SIZE_MAX, shift in 0u32..=16) {
            let align = 1usize << shift;
            if let Some(class) = ClassId::for_layout(size, align) {
                prop_assert!(class.block_size() >= size.max(1));
                prop_assert_eq!(class.block_size() % align, 0);
                prop_assert!(class.block_size() <= (2 * size.max(align)).max(16));
            } else {
                prop_assert!(round_up(size, align) > BLOCK_SIZE_MAX / 2);
            }
        }
    }
}
