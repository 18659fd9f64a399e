//! The heap held still: all its locks are the caller's, so that spans neither come nor go while it
//! looks at them. Nothing may be allocated meanwhile, of any heap.
//!
//! Threads that run may still take and give blocks of their own slabs, unless they are stopped.
//! They can be stopped afterwards and not before: one that is stopped inside a lock would never
//! give it back.

use super::block::Block;
use super::engine::Engine;
use super::fork::ForkLocks;
use super::local::LocalHeap;
use super::observe::Observer;
use super::slab::{Kind, Slab};

/// See the module. Dropping it gives the locks back.
#[derive(Debug)]
pub(crate) struct Frozen<'a, O: Observer> {
    pub(crate) engine: &'a Engine<O>,
    taken: ForkLocks,
}

impl<O: Observer> Engine<O> {
    /// Takes all locks.
    pub(crate) fn freeze(&self) -> Frozen<'_, O> {
        Frozen { engine: self, taken: self.before_fork() }
    }
}

impl<O: Observer> Drop for Frozen<'_, O> {
    fn drop(&mut self) {
        self.engine.after_fork(self.taken);
    }
}

impl<O: Observer> Frozen<'_, O> {
    /// Visits the addresses that spans were cut from: start and length.
    pub(crate) fn for_each_extent(&self, visit: impl FnMut(usize, usize)) {
        self.engine.space.for_each_extent(visit);
    }

    /// Visits all addresses that are the heap's, its records included: start and length.
    pub(crate) fn for_each_reservation(&self, visit: impl FnMut(usize, usize)) {
        self.engine.space.for_each_reservation_held(visit);
    }

    /// Visits all heaps.
    pub(crate) fn for_each_heap(&self, visit: impl FnMut(&LocalHeap)) {
        self.engine.for_each_heap(visit);
    }

    /// Visits the spans that hold blocks of the program.
    pub(crate) fn for_each_user_span(&self, mut visit: impl FnMut(&Slab)) {
        self.engine.space.for_each_span_held(|span| {
            let is_used = matches!(span.kind(), Kind::Slab | Kind::Large);
            if is_used && !self.engine.private.owns(span) {
                visit(span);
            }
        });
    }

    /// Start and end of the block of a mapped span that an address lies in.
    pub(crate) fn block_around(&self, address: usize) -> Option<(usize, usize)> {
        let slot = self.engine.slot_of(core::ptr::without_provenance(address))?;
        let start = slot.slab.block(slot.index) as usize;
        Some((start, start + slot.slab.usable_size()))
    }

    /// Whether block `index` is in use, as the block itself tells it.
    pub(crate) fn is_in_use(&self, span: &Slab, index: u32) -> bool {
        span.kind() == Kind::Large
            // SAFETY: a carved block of a living slab.
            || !unsafe { Block::is_free(span.block(index).cast(), self.engine.space.secret()) }
    }
}
