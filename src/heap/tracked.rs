//! The paths of a tracked heap that are taken for nearly every block.
//!
//! A tracked heap's ready lists are empty, so every request leaves the fast path, and every free of
//! a tracked slab does. Where nothing special is to be done, these serve them: a block off the
//! first slab of the queue, a block back onto its slab's list, and a word with the observer. What
//! is special (a new slab, a full one, another thread's block, the periodic look at inbox and mode)
//! goes the long way.
//!
//! The *short way* ends where the observer says that the block's record is special. It has looked
//! only, and changes nothing before it knows: so it needs no room to save registers in, and what
//! follows takes its place instead of being called.

use super::block::Block;
use super::class::{ClassId, SLICE};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Freer, Observer, Seen, Slot};
use super::slab::Slab;
use crate::base::stack;
use crate::unwind::Registers;
use core::ptr::NonNull;

/// So many blocks pass before the long way looks at inbox and mode.
pub(super) const LOOKS: u32 = 64;

impl<O: Observer> Engine<O> {
    /// A block of `class` for `size` bytes, `None` for the long way.
    #[inline(always)]
    pub(crate) fn allocate_tracked(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        size: usize,
        caller: Registers,
    ) -> Option<NonNull<u8>> {
        if !heap.enter_tracked() {
            return None;
        }
        let Some((slab, block)) = heap.spare_block(class) else {
            heap.leave_tracked();
            return None;
        };
        let slot = Slot { slab, index: slab.index_of(slab.offset_of(block)) };
        let plan = match self.observer.foresee(heap, slot, size, caller) {
            Ok(plan) => plan,
            Err(seen) => return Some(self.allocate_special(heap, slab, size, caller, seen)),
        };
        heap.take_spare(slab, block);
        self.observer.allocated_plainly(slot, size, plan);
        heap.leave_tracked();
        // SAFETY: `spare_block` gives no null.
        Some(unsafe { NonNull::new_unchecked(block.cast()) })
    }

    /// The rest of [`Self::allocate_tracked`], where the observer has more to do than usual. The
    /// block's address does not stay behind on the stack, where the frame of a function like
    /// `exit`'s may come to lie over it: the last block of a short program would seem to be held.
    #[inline(never)]
    fn allocate_special(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        size: usize,
        caller: Registers,
        seen: Seen,
    ) -> NonNull<u8> {
        let block = self.allocate_deeply(heap, slab, size, caller, seen);
        let block = stack::clear_after::<{ stack::SHALLOW }>(block);
        // SAFETY: `allocate_tracked` has seen that there is a block.
        unsafe { NonNull::new_unchecked(block) }
    }

    #[inline(never)]
    fn allocate_deeply(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        size: usize,
        caller: Registers,
        seen: Seen,
    ) -> *mut u8 {
        let block = slab.first_local();
        let index = slab.index_of(slab.offset_of(block));
        heap.take_spare(slab, block);
        self.observer.allocated_after(heap, Slot { slab, index }, size, caller, seen);
        heap.leave_tracked();
        block.cast()
    }

    /// Frees a block of a tracked slab of the heap's own, if nothing about it is special. `false`:
    /// nothing was done.
    #[inline(always)]
    pub(crate) fn free_tracked(&self, heap: &LocalHeap, address: *mut u8) -> bool {
        self.free_if(heap, address, |slot| self.observer.freed_plainly(heap, slot))
    }

    /// The same where the observer has more to do than usual.
    pub(crate) fn free_tracked_special(&self, heap: &LocalHeap, address: *mut u8) -> bool {
        self.free_if(heap, address, |slot| self.observer.freed(heap, slot, Freer::Owner))
    }

    /// Frees a block of a tracked slab of the heap's own once the observer `has_heard` of it.
    #[inline(always)]
    pub(super) fn free_if(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        has_heard: impl FnOnce(Slot<'_>) -> bool,
    ) -> bool {
        let Some(slot) = self.tracked_slot(heap, address) else { return false };
        if !heap.enter_tracked() {
            return false;
        }
        if !has_heard(slot) {
            heap.leave_tracked();
            return false;
        }
        // SAFETY: we own the slab, and the block was in use: it is not free.
        if unsafe { slot.slab.push_local(address.cast(), self.space.secret()) } {
            self.leave_emptied(heap, slot.slab);
        } else {
            heap.leave_tracked();
        }
        true
    }

    /// Ends what [`LocalHeap::enter_tracked`] has begun, with a slab that is empty now.
    #[inline(always)]
    fn leave_emptied(&self, heap: &LocalHeap, slab: &Slab) {
        // The commonest case first: the last slab of its class stays.
        if heap.queue(slab.class()).keeps(slab, heap.ticks.get()) {
            heap.leave_tracked();
        } else {
            self.end_emptied(heap, slab);
        }
    }

    #[cold]
    #[inline(never)]
    fn end_emptied(&self, heap: &LocalHeap, slab: &Slab) {
        self.slab_emptied(heap, slab);
        heap.leave_tracked();
    }

    /// The block at `address`, if it is in use, and of a tracked slab of the heap's own with room.
    #[inline(always)]
    fn tracked_slot(&self, heap: &LocalHeap, address: *mut u8) -> Option<Slot<'_>> {
        let slab = self.space.record_of(address)?;
        if !slab.is_tracked_of(heap) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a slice")]
        let index = slab.block_at((address as usize % SLICE) as u32)?;
        // SAFETY: the start of a block of a slab of ours, which is mapped.
        let is_free = unsafe { Block::is_free(address.cast(), self.space.secret()) };
        (!is_free).then_some(Slot { slab, index })
    }
}

impl LocalHeap {
    /// The block of `class` that is next to be handed out, and its slab. `None`: it is time for the
    /// long way to look, or there is none that would leave its slab with room.
    #[inline(always)]
    fn spare_block(&self, class: ClassId) -> Option<(&Slab, *mut Block)> {
        let slab = self.queue(class).first()?;
        if self.ticks.get() % LOOKS == LOOKS - 1 {
            return None;
        }
        Some((slab, slab.spare()?))
    }

    /// Takes what [`Self::spare_block`] has found, and empties it.
    #[inline(always)]
    fn take_spare(&self, slab: &Slab, block: *mut Block) {
        self.ticks.set(self.ticks.get() + 1);
        slab.take_first(block);
        // SAFETY: the block was just taken, and is as long as its slab's blocks are.
        unsafe { Block::wipe(block, slab.block_size()) };
    }
}

impl Slab {
    /// Whether the slab is `heap`'s, tracked, and not full.
    #[inline(always)]
    fn is_tracked_of(&self, heap: &LocalHeap) -> bool {
        self.owner_word() == heap.token() | Self::TRACKED
    }

    /// Where a block of the slab begins.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
    fn offset_of(&self, block: *mut Block) -> u32 {
        (block as usize - self.start() as usize) as u32
    }
}
