//! The paths of an untracked heap right behind the fast ones.
//!
//! The larger the blocks, the fewer a slab has, and the oftener it is full or its ready list empty.
//! Where nothing else is to be done, these serve such requests: a list that has come back to the
//! first slab of the queue, a block that makes a full slab one with room, and one that goes to
//! another thread's heap. What is special (a new slab, the periodic look at inbox and mode) goes
//! the long way.

use super::block::Block;
use super::class::{ClassId, SMALL_MAX};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Observer, Wanted};
use super::refill::TICKS_PER_DRAIN;
use super::slab::Slab;
use core::ptr::NonNull;

impl<O: Observer> Engine<O> {
    /// A block of `class` from what has come back to the heap. `None` for the long way.
    #[inline(always)]
    pub(crate) fn allocate_plain(&self, heap: &LocalHeap, class: ClassId) -> Option<NonNull<u8>> {
        if let Some(block) = NonNull::new(heap.pop(class)) {
            return Some(block);
        }
        let slab = heap.queue(class).first().filter(|slab| slab.has_local())?;
        if !self.is_linked(slab, slab.first_local()) {
            return None;
        }
        let ticks = heap.ticks.get().wrapping_add(1);
        if ticks.is_multiple_of(TICKS_PER_DRAIN) {
            return None;
        }
        let _busy = heap.enter_plain()?;
        if !self.is_nothing_drawn(heap, class, slab) {
            return None;
        }
        heap.ticks.set(ticks);
        NonNull::new(self.take_run(heap, class, slab, |list, _| list).address)
    }

    /// Whether the observer wants none of the blocks on the slab's list; if so they count as handed
    /// out.
    #[inline(always)]
    fn is_nothing_drawn(&self, heap: &LocalHeap, class: ClassId, slab: &Slab) -> bool {
        match (self.observer.wants(), heap.sample_left()) {
            (Wanted::None, None) => true,
            (Wanted::Samples, Some(left)) => {
                !heap.is_sample_due(class) && heap.pass_run(left, slab, slab.local_count())
            }
            _ => false,
        }
    }

    /// As [`Self::allocate_plain`]; the first `size` bytes are zero.
    #[inline(always)]
    pub(crate) fn allocate_plain_zeroed(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        size: usize,
    ) -> Option<NonNull<u8>> {
        let zeroed = !heap.first_ready(class).is_null() && heap.is_ready_zeroed(class);
        let block = self.allocate_plain(heap, class)?;
        // SAFETY: the block is ours and of that class.
        unsafe { self.zero_block(block.as_ptr(), size, zeroed) };
        Some(block)
    }

    /// Frees an untracked block of any heap, if its slab `is_right`. `false`: nothing was done.
    #[inline(always)]
    pub(crate) fn free_plain(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        is_right: impl FnOnce(&Slab) -> bool,
    ) -> bool {
        let slab = self.untracked_slab_at(address).filter(|slab| is_right(slab));
        let Some(slab) = slab else { return false };
        let Some(_busy) = heap.enter_plain() else { return false };
        let block = address.cast();
        if self.is_at_home(heap, slab) {
            // SAFETY: the user has given up a block that was in use, so it is ours and on no list;
            // we own its slab.
            unsafe { self.free_local(heap, slab, block) };
            return true;
        }
        // SAFETY: as above.
        unsafe { Block::set_key(block, self.space.secret()) };
        if slab.block_size() <= SMALL_MAX {
            // SAFETY: as above; the busy mark keeps a signal handler, on top of us, out of the
            // outbox.
            let parcel = unsafe { heap.outbox.put(slab.owner_token(), block) };
            self.send(parcel);
        } else {
            // SAFETY: as above.
            unsafe { self.send_home(slab, block) };
        }
        true
    }

    /// The untracked slab in which a block in use starts at `address`.
    #[inline(always)]
    fn untracked_slab_at(&self, address: *mut u8) -> Option<&Slab> {
        let slab = match self.space.record_of(address) {
            Some(slab) if slab.owner_token() != 0 => slab,
            _ => self.space.span_of(address).filter(|slab| slab.owner_token() != 0)?,
        };
        if slab.is_tracked() {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, reason = "slabs are at most 4 MiB long")]
        let offset = (address as usize).wrapping_sub(slab.start() as usize) as u32;
        let index = slab.block_at(offset)?;
        if index >= slab.capacity() || index < slab.held() {
            return None;
        }
        // SAFETY: the start of a carved block of a slab, which is mapped.
        let is_free = unsafe { Block::is_free(address.cast(), self.space.secret()) };
        (!is_free).then_some(slab)
    }
}
