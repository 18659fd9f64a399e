//! The free paths: fast, and the cold one.
//!
//! The fast path serves a block of the caller's own heap, in the first slice of an untracked slab
//! with room: 39 instructions through the C face, of which fourteen refuse null, foreign,
//! misaligned, freed and never handed out addresses.

use super::block::Block;
use super::class::SLICE;
use super::engine::Engine;
use super::local::{LocalHeap, State};
use super::locate::Misuse;
use super::observe::{Freer, Observer, Slot};
use super::remote::Parcel;
use super::slab::{Kind, Slab};
use crate::harden::pattern::POISON;

/// How far the fast path came.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Freed<'a> {
    /// All done.
    Done,
    /// Done, and the slab is empty: tell [`Engine::retire`].
    Emptied(&'a Slab),
    /// Nothing done: call [`Engine::free`]. With the record of the slice that the address lies in,
    /// if that is one of ours: that of its slab, or of nothing.
    Undecided(Option<&'a Slab>),
}

impl<O: Observer> Engine<O> {
    /// The fast path of `free`.
    ///
    /// # Safety
    /// `heap` is the calling thread's own. `address` may be anything.
    #[inline(always)]
    pub(crate) unsafe fn free_fast(&self, heap: &LocalHeap, address: *mut u8) -> Freed<'_> {
        // SAFETY: the caller's.
        unsafe { self.free_fast_if(heap, address, |_| true) }
    }

    /// The same, if the block's slab is right.
    ///
    /// # Safety
    /// As [`Self::free_fast`].
    #[inline(always)]
    pub(super) unsafe fn free_fast_if(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        is_right: impl FnOnce(&Slab) -> bool,
    ) -> Freed<'_> {
        let Some(slab) = self.space.record_of(address) else { return Freed::Undecided(None) };
        let secret = self.space.secret();
        let block = address.cast::<Block>();
        // A heap's own slab, not full, not tracked: its record names the heap and nothing else.
        // Its spans are slice-aligned, so the offset in the slice is that in the slab.
        #[expect(clippy::cast_possible_truncation, reason = "an offset in a slice")]
        let is_ours = slab.owner_word() == heap.token()
            && slab.is_carved_start((address as usize % SLICE) as u32);
        // SAFETY: `block` is the start of a block of a slab of ours, which is mapped.
        if !is_ours || unsafe { Block::is_free(block, secret) } || !is_right(slab) {
            return Freed::Undecided(Some(slab));
        }
        // SAFETY: we own the slab, and the block was in use: it is not free.
        if unsafe { slab.push_local(block, secret) } { Freed::Emptied(slab) } else { Freed::Done }
    }

    /// Follows up on [`Freed::Emptied`].
    #[cold]
    pub(crate) fn retire(&self, heap: &LocalHeap, slab: &Slab) {
        // In a signal handler on top of a cold path, the interrupted path or a later one finds the
        // empty slab in its queue.
        if let Some(_busy) = heap.enter() {
            self.slab_emptied(heap, slab);
        }
    }

    /// Sends what was gathered in an outbox.
    #[inline]
    pub(super) fn send(&self, parcel: Option<Parcel<Block>>) {
        let Some(Parcel { to, first, last }) = parcel else { return };
        // SAFETY: slabs with blocks in use name a heap, and heaps are never given back; the chain
        // was the outbox's.
        unsafe { LocalHeap::from_token(to).inbox.push_chain(first, last) };
    }

    /// Frees anything that this engine handed out, from any thread; says so when it did not.
    #[cold]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn free(&self, heap: &LocalHeap, address: *mut u8) -> Result<(), Misuse> {
        self.free_slot(heap, self.slot_at(address)?, address)
    }

    /// Frees the block at `address`, which is `slot`.
    #[inline]
    pub(super) fn free_slot(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        address: *mut u8,
    ) -> Result<(), Misuse> {
        if self.is_poisoned(slot.slab) {
            // SAFETY: the user has given the block up, and it is that long.
            unsafe { address.write_bytes(POISON, slot.slab.usable_size()) };
        }
        self.observe_free(heap, slot, address)?;
        // SAFETY: the user has given the block up.
        unsafe { self.take_back(heap, slot, address) };
        Ok(())
    }

    /// The second half of a free: the block's memory may be used again.
    ///
    /// # Safety
    /// `slot` is the block at `address`, which was in use; nobody knows of it any more.
    #[inline]
    pub(crate) unsafe fn take_back(&self, heap: &LocalHeap, slot: Slot<'_>, address: *mut u8) {
        let slab = slot.slab;
        if slab.kind() == Kind::Large {
            return self.free_large(slab);
        }
        let block = address.cast();
        // SAFETY: the block was in use: it is not free.
        unsafe { Block::set_key(block, self.space.secret()) };
        // The busy mark keeps a signal handler, on top of us, out of the lists.
        let entered = if self.is_at_home(heap, slab) { heap.enter() } else { None };
        if entered.is_some() {
            // SAFETY: the caller's; we own its slab.
            unsafe { self.free_local(heap, slab, block) };
        } else {
            // SAFETY: the caller's.
            unsafe { self.send_home(slab, block) };
        }
    }

    /// The first half of a free: to the observer the block is in use no more.
    #[inline]
    pub(crate) fn observe_free(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        address: *mut u8,
    ) -> Result<(), Misuse> {
        if !slot.slab.is_tracked() {
            return Ok(());
        }
        // The busy mark keeps a signal handler, on top of us, out of the observer's counters.
        let entered = if heap.is_usable() { heap.enter() } else { None };
        let was_in_use = match entered {
            Some(_busy) => self.observer.freed(heap, slot, Freer::Anyone),
            None => self
                .late
                .with(self, |heap| self.observer.freed(heap, slot, Freer::Anyone))
                .unwrap_or_else(|| {
                    // The record stays as it is, without a block.
                    self.records.distrust_columns();
                    true
                }),
        };
        if was_in_use { Ok(()) } else { Err(Misuse::double_free(slot, address)) }
    }

    #[inline]
    pub(crate) fn is_at_home(&self, heap: &LocalHeap, slab: &Slab) -> bool {
        slab.owner_token() == heap.token()
    }

    /// Returns a freed block to its slab, here or by way of its owner's inbox.
    ///
    /// # Safety
    /// `block` is free and on no list; the caller may use `heap`.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) unsafe fn release_block(&self, heap: &LocalHeap, block: *mut Block) {
        // As on the fast path of `free`: most blocks follow others into an untracked slab of one
        // slice, which so is full no more.
        let record = self.space.record_of(block.cast());
        if let Some(slab) = record.filter(|slab| slab.owner_word() == heap.token()) {
            // SAFETY: the caller's, and the slab is `heap`'s.
            if unsafe { slab.push_local(block, self.space.secret()) } {
                self.slab_emptied(heap, slab);
            }
            return;
        }
        let Some(slab) = self.space.span_of(block.cast()) else { return };
        if self.is_at_home(heap, slab) {
            // SAFETY: the caller's, and the slab is `heap`'s.
            unsafe { self.free_local(heap, slab, block) };
        } else {
            // SAFETY: the caller's.
            unsafe { self.send_home(slab, block) };
        }
    }

    /// # Safety
    /// `block` is free, on no list, of `slab`, which is `heap`'s; the caller may use `heap`.
    #[inline]
    pub(super) unsafe fn free_local(&self, heap: &LocalHeap, slab: &Slab, block: *mut Block) {
        // SAFETY: the caller's.
        let emptied = unsafe { slab.push_local(block, self.space.secret()) };
        if slab.is_full() {
            slab.set_full(false);
            // A block that was just freed is in the cache, so its slab serves next. Unless that
            // slab was filled by a single block a moment ago: a program that allocates and frees
            // in turns would pass that one to and fro on cold paths.
            let is_to_and_fro = slab.stamp.get() == heap.ticks.get();
            match heap.queue_of(slab) {
                Some(queue) if is_to_and_fro => queue.push_second(slab),
                Some(queue) => queue.push_front(slab),
                None => {}
            }
        }
        if emptied {
            self.slab_emptied(heap, slab);
        }
    }

    /// # Safety
    /// `block` is free, on no list, and of `slab`.
    #[inline]
    pub(super) unsafe fn send_home(&self, slab: &Slab, block: *mut Block) {
        // SAFETY: slabs with blocks in use name a heap, and heaps are never given back.
        let owner = unsafe { LocalHeap::from_token(slab.owner_token()) };
        debug_assert!(owner.state() != State::Placeholder);
        // SAFETY: the caller's.
        unsafe { owner.inbox.push(block) };
    }
}
