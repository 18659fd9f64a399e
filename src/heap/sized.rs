//! What a size that a program names says of a block: whether the block can be of that size.
//!
//! The engine knows a block's class, and of a size which class it would have been served from. So a
//! free that names a size compares it with the sizes that the class serves: two fields of the line
//! of the record that a free reads anyway, a subtraction and a comparison. Resizing leaves blocks
//! where they are down to half of their memory; a slab in which that has happened says so, and its
//! blocks may be of any of those sizes. Of recorded blocks the exact size is known: whoever asks
//! asks the observer.

use super::class::{BLOCK_SIZE_MAX, ClassId};
use super::engine::Engine;
use super::free::Freed;
use super::local::LocalHeap;
use super::observe::{Observer, Slot};
use super::slab::{Kind, Slab};
use crate::base::arith::checked_round_up;
use crate::os::memory::PAGE;

impl<O: Observer> Engine<O> {
    /// The fast path of a free that names a size. What the class does not serve is left undecided.
    ///
    /// # Safety
    /// As [`Engine::free_fast`].
    #[inline(always)]
    pub(crate) unsafe fn free_sized_fast(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        size: usize,
    ) -> Freed<'_> {
        // SAFETY: the caller's.
        unsafe { self.free_fast_if(heap, address, |slab| slab.serves(size)) }
    }

    /// Whether a block of the size is nothing to wonder about at `address`: the start of one that
    /// is in use, in the first slice of an untracked slab, whose class serves it.
    #[inline(always)]
    pub(crate) fn serves_plainly(&self, address: *const u8, size: usize) -> bool {
        self.plain_slab_at(address).is_some_and(|slab| slab.serves(size))
    }

    /// As [`Engine::free_tracked`], if the block is right.
    #[inline(always)]
    pub(crate) fn free_tracked_if(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        is_right: impl FnOnce(Slot<'_>) -> bool,
    ) -> bool {
        let Some(slab) = self.space.record_of(address) else { return false };
        self.free_if(heap, slab, address, |slot| {
            is_right(slot) && self.observer.freed_plainly(heap, slot)
        })
    }
}

impl Slab {
    /// Whether a block of this slab, untracked, may have been asked for as `size` bytes aligned to
    /// `align`, a power of two.
    pub(crate) fn may_be_of(&self, size: usize, align: usize) -> bool {
        let class = ClassId::for_layout(size, align);
        match self.kind() {
            Kind::Slab => {
                self.serves(size)
                    || class == Some(self.class())
                    || self.is_resized() && self.keeps(size)
            }
            Kind::Large => {
                let is_large = class.is_none() || size > BLOCK_SIZE_MAX;
                is_large && checked_round_up(size.max(1), PAGE) == Some(self.usable_size())
            }
            Kind::Free | Kind::Records => false,
        }
    }

    /// Whether a block of a slab stays where it is when it is resized to `size`. Shrinking to half
    /// or less is worth a move to a smaller class.
    pub(super) fn keeps(&self, size: usize) -> bool {
        size <= self.usable_size() && size.max(16) > self.usable_size() / 2
    }
}

#[cfg(test)]
mod tests {
    use super::super::class::CLASS_COUNT;
    use super::*;

    #[test]
    fn a_class_serves_the_sizes_between_it_and_the_one_below() {
        for class in (0..CLASS_COUNT).map(ClassId::from_index) {
            let sizes = class.block_size() + 1 - class.spread()..=class.block_size();
            for size in sizes.clone() {
                let align = if class.block_size().is_multiple_of(16) { 16 } else { 8 };
                assert_eq!(ClassId::for_layout(size, align), Some(class), "{size}");
            }
            let below = sizes.start().checked_sub(1);
            assert_ne!(below.and_then(ClassId::for_size), Some(class));
        }
    }
}
