//! Sampling: some blocks are observed, drawn at random, and the fast paths do not know.
//!
//! Samples are points of a Poisson process on the bytes that a heap hands out. The heap knows how
//! many bytes are left until the next one, and looks when it refills a ready list: as long as the
//! point is not inside the list, the fast path runs through it as ever. A list that a point falls
//! into is cut before that block, and the request that finds it empty gets a block of a tracked
//! slab instead, which no fast path frees. Looking at refills changes the order of the bytes, not
//! the chance of any block: for one of `s` bytes it is 1 − exp(−s / mean), whatever came before.

use super::alloc::Taken;
use super::block::Block;
use super::class::ClassId;
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Observer, Wanted};
use super::slab::Slab;
use core::ptr;

/// Bytes that no process hands out.
const FAR: u64 = u64::MAX / 2;

impl<O: Observer> Engine<O> {
    /// Cuts a fresh list of `count` blocks before the one that is to be observed, if there is one.
    /// What is left is null if that is the first.
    pub(super) fn cut_before_sample(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        list: *mut Block,
        count: u32,
    ) -> *mut Block {
        let Some(left) = heap.sample_left() else { return list };
        let size = slab.usable_size() as u64;
        let whole = left / size;
        if whole >= u64::from(count) {
            heap.set_sample_left(Some(left - u64::from(count) * size));
            return list;
        }
        self.draw_next(heap);
        heap.set_sample_due(slab.class(), true);
        // SAFETY: the list is ours and has `count` blocks, more than `whole`.
        unsafe { self.cut(slab, list, whole as u32, count) }
    }

    /// Keeps the first `kept` blocks and gives the others back to their slab.
    ///
    /// # Safety
    /// The list has `count` blocks of `slab`, whose own list is empty; `kept < count`.
    unsafe fn cut(&self, slab: &Slab, list: *mut Block, kept: u32, count: u32) -> *mut Block {
        let (mut last, mut rest) = (ptr::null_mut(), list);
        for _ in 0..kept {
            last = rest;
            // SAFETY: the caller's.
            rest = unsafe { Block::next(rest) };
        }
        slab.give_back(rest, count - kept);
        if last.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a block of the list, which is ours.
        unsafe { Block::set_next(last, ptr::null_mut()) };
        list
    }

    /// A block that is observed. `None`: out of memory.
    #[cold]
    pub(super) fn take_sample(&self, heap: &LocalHeap, class: ClassId) -> Option<Taken<'_>> {
        heap.set_sample_due(class, false);
        let slab = match heap.sampled().find(|slab| self.serves(slab, class)) {
            Some(slab) => slab,
            None => {
                let slab = self.fresh_slab(heap, class, Wanted::Samples)?;
                heap.sampled().push_front(slab);
                slab
            }
        };
        // SAFETY: queued records stay mapped while the slab lives, and it has a used block next.
        let slab = unsafe { &*ptr::from_ref(slab) };
        Some(self.take_single(heap, slab))
    }

    fn serves(&self, slab: &Slab, class: ClassId) -> bool {
        slab.class() == class && self.observer.suits(slab)
    }

    /// Whether a large block of `size` bytes is to be observed.
    pub(super) fn is_large_sample(&self, heap: &LocalHeap, size: usize) -> bool {
        let Some(left) = heap.sample_left() else { return false };
        let is_sample = left < size as u64;
        if is_sample {
            self.draw_next(heap);
        } else {
            heap.set_sample_left(Some(left - size as u64));
        }
        is_sample
    }

    /// Draws the next point. A heap that samples goes on as one until it follows the mode, which
    /// may have changed: its slabs are in the queue of those that do.
    fn draw_next(&self, heap: &LocalHeap) {
        heap.set_sample_left(Some(self.observer.until_sample(heap).unwrap_or(FAR)));
    }
}
