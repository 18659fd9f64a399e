//! The paths of a tracked heap that are taken for nearly every block.
//!
//! A tracked heap's ready lists are empty, so every request leaves the fast path, and every free of
//! a tracked slab does. Where nothing special is to be done, these serve them: a block off the
//! first slab of the queue, a block back onto its slab's list, and a word with the observer. What
//! is special (a new slab, a full one, another thread's block, the periodic look at inbox and mode)
//! goes the long way.
//!
//! The *short way* ends where the observer says that the block's record is special. It has looked
//! only, and changes nothing before it knows, so there is nothing to be undone. It is called, and
//! what follows where it was not enough is called after it: so of arguments and registers it needs
//! only its own.

use super::block::Block;
use super::class::{ClassId, SLICE};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Freer, Observer, Seen, Slot};
use super::slab::Slab;
use crate::base::stack;
use crate::unwind::Registers;
use core::ptr;

/// So many blocks pass before the long way looks at inbox and mode.
pub(super) const LOOKS: u32 = 256;

/// What the short way has got: in registers.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(crate) struct Handed {
    /// Null: nothing.
    pub(crate) block: *mut u8,
    /// Why.
    pub(crate) seen: Seen,
}

impl Handed {
    #[inline(always)]
    pub(crate) const fn nothing(seen: Seen) -> Self {
        Self { block: ptr::null_mut(), seen }
    }
}

impl<O: Observer> Engine<O> {
    /// A block of `class` for `size` bytes. Where there is none, what the observer has seen is for
    /// [`Self::allocate_special`], which is to follow at once, unless it is [`Seen::NOWHERE`].
    #[inline(always)]
    pub(crate) fn allocate_tracked(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        size: usize,
        caller: Registers,
    ) -> Handed {
        if !heap.enter_tracked() {
            return Handed::nothing(Seen::NOWHERE);
        }
        let Some(slab) = heap.spare_slab(class) else {
            heap.leave_tracked();
            return Handed::nothing(Seen::NOWHERE);
        };
        let origin = match self.observer.origin(heap, caller) {
            Ok(origin) => origin,
            Err(seen) => {
                let found = self.observer.look(heap, caller, seen);
                // Of the registers of who called.
                stack::clear::<{ stack::SHALLOW }>();
                match found {
                    Ok(origin) => origin,
                    Err(seen) => return Handed::nothing(seen),
                }
            }
        };
        // Only now the block: nothing of it has been on the stack.
        if slab.block_size() <= Block::SHORT {
            self.hand_out::<true>(heap, slab, size, origin)
        } else {
            self.hand_out_long(heap, slab, size, origin)
        }
    }

    /// As [`Self::hand_out`], apart: what calls needs room to save registers in.
    #[inline(never)]
    fn hand_out_long(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        size: usize,
        origin: O::Origin,
    ) -> Handed {
        self.hand_out::<false>(heap, slab, size, origin)
    }

    /// Hands the next block of a slab out, unless something about it is special. `SHORT`: it has
    /// at most [`Block::SHORT`] bytes.
    #[inline(always)]
    fn hand_out<const SHORT: bool>(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        size: usize,
        origin: O::Origin,
    ) -> Handed {
        let block = slab.first_local();
        let slot = Slot { slab, index: slab.index_of(slab.offset_of(block)) };
        let plan = match self.observer.foresee(slot, size, origin) {
            Ok(plan) => plan,
            Err(seen) => return Handed::nothing(seen),
        };
        heap.take_spare(slab, block);
        let len = slab.block_size();
        // SAFETY: the block was just taken, and is as long as its slab's blocks are.
        unsafe { if SHORT { Block::wipe_short(block, len) } else { Block::wipe(block, len) } };
        self.observer.allocated_plainly(slot, size, plan);
        heap.leave_tracked();
        Handed { block: block.cast(), seen: Seen::NOWHERE }
    }

    /// The rest of [`Self::allocate_tracked`], where the observer has more to do than usual. The
    /// block's address does not stay behind on the stack, where the frame of a function like
    /// `exit`'s may come to lie over it: the last block of a short program would seem to be held.
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn allocate_special(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        size: usize,
        caller: Registers,
        seen: Seen,
    ) -> *mut u8 {
        // There is one: nobody has been at the heap meanwhile.
        let Some(slab) = heap.queue(class).first() else { return ptr::null_mut() };
        let block = self.allocate_deeply(heap, slab, size, caller, seen);
        stack::clear_after::<{ stack::SHALLOW }>(block)
    }

    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
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
        // SAFETY: the block was just taken, and is as long as its slab's blocks are.
        unsafe { Block::wipe(block, slab.block_size()) };
        self.observer.allocated_after(heap, Slot { slab, index }, size, caller, seen);
        heap.leave_tracked();
        block.cast()
    }

    /// Frees a block of a tracked slab of the heap's own, if nothing about it is special. `slab` is
    /// the record of the address's slice. `false`: nothing was done.
    #[inline(always)]
    pub(crate) fn free_tracked(&self, heap: &LocalHeap, slab: &Slab, address: *mut u8) -> bool {
        self.free_if(heap, slab, address, |slot| self.observer.freed_plainly(heap, slot))
    }

    /// The same where the observer has more to do than usual.
    pub(crate) fn free_tracked_special(&self, heap: &LocalHeap, address: *mut u8) -> bool {
        let Some(slab) = self.space.record_of(address) else { return false };
        self.free_if(heap, slab, address, |slot| self.observer.freed(heap, slot, Freer::Owner))
    }

    /// Frees a block of a tracked slab of the heap's own once the observer `has_heard` of it.
    #[inline(always)]
    pub(super) fn free_if(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        address: *mut u8,
        has_heard: impl FnOnce(Slot<'_>) -> bool,
    ) -> bool {
        let Some(slot) = self.tracked_slot(heap, slab, address) else { return false };
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
    fn tracked_slot<'a>(
        &self,
        heap: &LocalHeap,
        slab: &'a Slab,
        address: *mut u8,
    ) -> Option<Slot<'a>> {
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
    /// The slab whose first block is to be handed out as the next of `class`. `None`: it is time
    /// for the long way to look, or there is none that would be left with room.
    #[inline(always)]
    fn spare_slab(&self, class: ClassId) -> Option<&Slab> {
        let slab = self.queue(class).first()?;
        let is_due = self.ticks.get() % LOOKS == LOOKS - 1;
        (!is_due && slab.can_spare()).then_some(slab)
    }

    /// Takes the first block of a slab that [`Self::spare_slab`] has found. It is to be wiped.
    #[inline(always)]
    fn take_spare(&self, slab: &Slab, block: *mut Block) {
        self.ticks.set(self.ticks.get() + 1);
        slab.take_first(block);
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
