//! The paths of a tracked heap that are taken for nearly every block.
//!
//! A tracked heap's ready lists are empty, so every request leaves the fast path, and every free of
//! a tracked slab does. Where nothing special is to be done, these two serve them: a block off the
//! first slab of the queue, a block back onto its slab's list, and a word with the observer. What
//! is special (a new slab, a full one, another thread's block, the periodic look at inbox and mode)
//! goes the long way.

use super::block::Block;
use super::class::{ClassId, SLICE};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Freer, Observer, Slot};
use super::slab::Slab;
use crate::unwind::Registers;
use core::ptr;

/// So many blocks pass before the long way looks at inbox and mode.
pub(super) const LOOKS: u32 = 64;

impl<O: Observer> Engine<O> {
    /// A block of `class` for `size` bytes, or null for the long way.
    #[inline(always)]
    pub(crate) fn allocate_tracked(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        size: usize,
        caller: Registers,
    ) -> *mut u8 {
        let Some(_busy) = heap.enter_tracked() else { return ptr::null_mut() };
        let Some(slab) = heap.queue(class).first() else { return ptr::null_mut() };
        let ticks = heap.ticks.get();
        if ticks % LOOKS == LOOKS - 1 {
            return ptr::null_mut();
        }
        let block = slab.take_spare();
        if block.is_null() {
            return ptr::null_mut();
        }
        heap.ticks.set(ticks + 1);
        // SAFETY: the block was just taken, and is as long as its slab's blocks are.
        unsafe { Block::wipe(block, slab.block_size()) };
        #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
        let index = slab.index_of((block as usize - slab.start() as usize) as u32);
        self.observer.allocated(heap, Slot { slab, index }, size, caller);
        block.cast()
    }

    /// Frees a block of a tracked slab of the heap's own. `false`: nothing was done.
    #[inline(always)]
    pub(crate) fn free_tracked(&self, heap: &LocalHeap, address: *mut u8) -> bool {
        let Some(slab) = self.space.record_of(address) else { return false };
        let (block, secret) = (address.cast::<Block>(), self.space.secret());
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a slice")]
        let offset = (address as usize % SLICE) as u32;
        if !slab.is_tracked_of(heap) || !slab.is_block_start(offset) {
            return false;
        }
        // SAFETY: the start of a block of a slab of ours, which is mapped.
        if unsafe { Block::is_free(block, secret) } {
            return false;
        }
        let Some(_busy) = heap.enter_tracked() else { return false };
        let slot = Slot { slab, index: slab.index_of(offset) };
        if !self.observer.freed(heap, slot, Freer::Owner) {
            return false;
        }
        // SAFETY: we own the slab, and the block was in use: it is not free.
        let emptied = unsafe { slab.push_local(block, secret) };
        // The commonest case first: the last slab of its class stays.
        if emptied && !heap.queue(slab.class()).keeps(slab, heap.ticks.get()) {
            self.slab_emptied(heap, slab);
        }
        true
    }
}

impl Slab {
    /// Whether the slab is `heap`'s, tracked, and not full.
    #[inline(always)]
    fn is_tracked_of(&self, heap: &LocalHeap) -> bool {
        self.owner_word() == heap.token() | Self::TRACKED
    }
}
