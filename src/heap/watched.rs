//! The paths of a watched heap that are taken for nearly every block.
//!
//! A watched heap is a tracked one whose quick paths ([`super::tracked`]) are shut: what watches
//! its blocks, above the engine, has more to do than the observer. Here it gets blocks whose link,
//! key and poison are intact, and gives them back. What is special (a new slab, a full one, a
//! damaged list, another thread's block, the periodic look at inbox and mode) goes the long way.

use super::block::Block;
use super::class::{ClassId, SLICE};
use super::doors::Busy;
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Observer, Slot};
use super::refill::leave_queue_when_full;
use super::slab::Slab;
use super::tracked::LOOKS;
use crate::harden::pattern::{self, POISON};
use crate::mem::prefetch::prefetch;

/// A small block of a slab of the heap's own, which is busy meanwhile.
#[derive(Debug)]
pub(crate) struct Held<'a> {
    pub(crate) slot: Slot<'a>,
    pub(crate) address: *mut u8,
    /// Bytes of the block.
    pub(crate) len: usize,
    _busy: Busy<'a>,
}

impl<O: Observer> Engine<O> {
    /// A block of `class`, poisoned but for its link and key. `None`: the long way.
    #[inline(always)]
    pub(crate) fn take_watched<'a>(
        &'a self,
        heap: &'a LocalHeap,
        class: ClassId,
    ) -> Option<Held<'a>> {
        let busy = heap.enter_watched()?;
        let slab = heap.queue(class).first()?;
        let ticks = heap.ticks.get();
        if ticks % LOOKS == LOOKS - 1 || !self.is_poisoned(slab) {
            return None;
        }
        let block = slab.first_local();
        let is_intact =
            !block.is_null() && self.is_linked(slab, block) && Self::is_clean(slab, block);
        if !is_intact {
            return None;
        }
        let _same = slab.take_one();
        // What comes back from a quarantine comes back to many slabs, one by one.
        let next = slab.first_local();
        if next.is_null() {
            leave_queue_when_full(heap, slab);
        }
        // It is the next one's turn soon, and nobody has looked at it for long.
        prefetch(next as usize);
        heap.ticks.set(ticks + 1);
        let (address, len) = (block.cast::<u8>(), slab.block_size());
        #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
        let index = slab.index_of((address as usize - slab.start() as usize) as u32);
        Some(Held { slot: Slot { slab, index }, address, len, _busy: busy })
    }

    /// Whether link and key of a free block are whole: the link leads to another block of the slab,
    /// or nowhere.
    #[inline(always)]
    pub(super) fn is_linked(&self, slab: &Slab, block: *mut Block) -> bool {
        // SAFETY: the list is ours; what a link leads to is not looked at.
        let (next, is_free) =
            unsafe { (Block::next(block), Block::is_free(block, self.space.secret())) };
        let offset = (next as usize).wrapping_sub(slab.start() as usize);
        let is_inside = offset < slab.capacity() as usize * slab.block_size();
        #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
        let is_link = next.is_null() || is_inside && slab.is_block_start(offset as u32);
        is_free && is_link
    }

    /// Whether all that is behind link and key of a free block is poison.
    #[inline(always)]
    pub(super) fn is_clean(slab: &Slab, block: *mut Block) -> bool {
        let links = size_of::<Block>();
        let rest = block.cast::<u8>().wrapping_add(links);
        // SAFETY: the rest of a block of ours, which is free.
        unsafe { pattern::is_filled(rest, slab.block_size() - links, POISON) }
    }

    /// The block in use at `address`, in the first slice of a watched slab of the heap's own.
    /// `None`: the long way, which also tells what else is there.
    #[inline(always)]
    pub(crate) fn hold_watched<'a>(
        &'a self,
        heap: &'a LocalHeap,
        address: *mut u8,
    ) -> Option<Held<'a>> {
        let slab = self.space.record_of(address)?;
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a slice")]
        let offset = (address as usize % SLICE) as u32;
        if !slab.is_watched_of(heap) || !slab.is_block_start(offset) || !self.is_poisoned(slab) {
            return None;
        }
        let index = slab.index_of(offset);
        // SAFETY: the start of a block of a slab of ours, which is mapped.
        if index < slab.held() || unsafe { Block::is_free(address.cast(), self.space.secret()) } {
            return None;
        }
        let busy = heap.enter_watched()?;
        Some(Held { slot: Slot { slab, index }, address, len: slab.block_size(), _busy: busy })
    }

    /// The second half of a free: the block's memory may be used again.
    ///
    /// # Safety
    /// The block was in use, and nobody knows of it any more; `heap` is that of [`Held`].
    #[inline(always)]
    pub(crate) unsafe fn put_watched(&self, heap: &LocalHeap, held: &Held<'_>) {
        // SAFETY: the caller's; the heap is busy for us.
        unsafe { self.free_local(heap, held.slot.slab, held.address.cast()) };
    }
}

impl Slab {
    /// Whether the slab is `heap`'s, and tracked.
    #[inline(always)]
    fn is_watched_of(&self, heap: &LocalHeap) -> bool {
        self.owner_word() & !Self::FULL == heap.token() | Self::TRACKED
    }
}
