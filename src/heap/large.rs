//! Large blocks: a span each, in slices, owned by no heap. Any thread allocates and frees them
//! under the lock of the space.

use super::alloc::{Request, Taken};
use super::class::SLICE;
use super::engine::Engine;
use super::guarded::Frame;
use super::local::LocalHeap;
use super::observe::Observer;
use super::refill::of_whole_slabs;
use super::slab::Slab;
use super::zones::Purpose;
use crate::base::arith::checked_round_up;
use crate::os::memory::PAGE;
use core::ptr;

impl<O: Observer> Engine<O> {
    pub(super) fn allocate_large(&self, heap: &LocalHeap, request: Request) -> *mut u8 {
        self.follow_mode_of(heap);
        let Some(size) = checked_round_up(request.memory().max(1), PAGE) else {
            return ptr::null_mut();
        };
        if let Some(frame) = Frame::of(request) {
            return self.allocate_guarded(heap, request, frame);
        }
        if let Some(taken) = self.take_large_listed(heap, &request) {
            self.observe(heap, taken, request);
            self.tell_picked(heap, taken, &request);
            return taken.address;
        }
        let (slices, align) = (size.div_ceil(SLICE), (request.align / SLICE).max(1));
        let purpose = Purpose::of(of_whole_slabs(heap));
        let Some((slab, clean)) = self.space.allocate(slices, align, purpose) else {
            return ptr::null_mut();
        };
        let is_sampled = self.is_large_sample(heap, size) && self.observer.keeps_samples();
        slab.become_large(size, 0, heap.is_tracked() || is_sampled);
        // As for small blocks: only what a search for leaks will read starts empty.
        if (request.zero || heap.is_tracked()) && !clean {
            self.space.for_each_dirty(slab, |start, len| {
                // SAFETY: the run lies in the span, which is ours and committed.
                unsafe { self.zero(start, len) };
            });
        }
        let taken = Taken { slab, address: slab.start(), zeroed: clean };
        if slab.is_tracked() {
            let drawn = is_sampled.then(|| slab.usable_size());
            self.observer.slab_born(slab, self.column_memory(), drawn);
            self.observe(heap, taken, request);
        }
        taken.address
    }

    /// As [`Self::follow_mode`], from outside of a cold path.
    pub(super) fn follow_mode_of(&self, heap: &LocalHeap) {
        if let Some(_busy) = heap.enter() {
            self.follow_mode(heap);
        }
    }

    pub(super) fn free_large(&self, slab: &Slab) {
        if slab.is_tracked() {
            self.observer.slab_died(slab, self.column_memory());
        }
        // What a guard has covered cannot be used until it is open again, and has lost its content.
        if !slab.is_guarded() {
            self.space.free(slab, slab.touched_len());
        } else if self.unguard(slab) {
            self.space.free(slab, 0);
        }
    }
}
