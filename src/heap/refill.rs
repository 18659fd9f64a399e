//! The cold path of allocation: where a heap gets blocks from.
//!
//! In this order: what others have freed for us, a slab of ours with room, an orphan's slab, a
//! fresh one. An untracked heap takes a whole list at a time and makes it its ready list; a tracked
//! one takes one block and keeps the ready list empty.

use super::alloc::{Request, Taken};
use super::block::Block;
use super::class::{CLASS_COUNT, ClassId};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::{Observer, Wanted};
use super::queue::Queue;
use super::sampled::Run;
use super::slab::Slab;
use super::zones::Purpose;
use crate::base::stack;
use crate::base::sync::Ordering;

/// A cold path in so many looks for slabs that have stayed empty.
const TICKS_PER_SWEEP: u32 = 128;
/// A heap that has slabs with room takes in what others have freed in one cold path of so many:
/// doing so writes to the records of slabs, which then leave the caches of those that free.
pub(super) const TICKS_PER_DRAIN: u32 = 16;

impl<O: Observer> Engine<O> {
    /// Takes a block of `class`. `None`: out of memory, or entered from a signal handler.
    pub(super) fn refill(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        request: &Request,
    ) -> Option<Taken<'_>> {
        let _busy = heap.enter()?;
        self.follow_mode(heap);
        self.tick(heap);
        if heap.queue(class).first().is_none() || heap.ticks.get().is_multiple_of(TICKS_PER_DRAIN) {
            self.drain(heap);
        }
        if heap.is_sample_due(class) {
            return self.refill_due(heap, class, request);
        }
        let slab = loop {
            let slab = self.slab_with_room(heap, class)?;
            if !self.is_damaged(slab) {
                break slab;
            }
            slab.forget_local();
            leave_queue_when_full(heap, slab);
        };
        if heap.is_tracked() {
            return Some(self.take_single(heap, slab));
        }
        let taken = self.take_run(heap, class, slab, |list, count| match heap.sample_left() {
            Some(left) if !heap.pass_run(left, slab, count) => {
                self.cut_run(heap, slab, list, count, Run::Long)
            }
            _ => list,
        });
        // Nothing was taken: the very next block is drawn.
        if taken.address.is_null() { self.refill_due(heap, class, request) } else { Some(taken) }
    }

    /// A slab of the heap that has blocks of `class` left.
    #[inline(always)]
    pub(super) fn slab_with_room(&self, heap: &LocalHeap, class: ClassId) -> Option<&Slab> {
        if heap.queue(class).first().is_none() {
            let slab = self
                .orphans
                .adopt_slab(heap, class, |orphan| self.settle(orphan))
                .or_else(|| self.fresh_slab(heap, class, of_whole_slabs(heap)))?;
            heap.queue(class).push_front(slab);
        }
        let slab = heap.queue(class).first()?;
        // SAFETY: queued records stay mapped while the slab lives, and it has a used block next.
        Some(unsafe { &*core::ptr::from_ref(slab) })
    }

    /// Makes what `cut` leaves of a list of blocks ready, and takes the first.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn take_run<'a>(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        slab: &'a Slab,
        cut: impl FnOnce(*mut Block, u32) -> *mut Block,
    ) -> Taken<'a> {
        let used = slab.used();
        let (list, zeroed) = if slab.has_local() {
            (slab.take_list(), false)
        } else {
            (slab.carve(self.space.secret(), 0), slab.zeroed.get())
        };
        let count = slab.used() - used;
        let list = cut(list, count);
        leave_queue_when_full(heap, slab);
        if count == 1 {
            // Full again with a single block: see `free_local`.
            slab.stamp.set(heap.ticks.get());
        }
        heap.set_ready(class, list, zeroed);
        Taken { slab, address: heap.pop(class), zeroed }
    }

    /// Whether somebody has written to the free block that is next to be handed out: to its link or
    /// key, or, where free blocks are poisoned, to what is behind them. What is cut one by one is
    /// handed out at once.
    fn is_damaged(&self, slab: &Slab) -> bool {
        let block = slab.first_local();
        let is_intact = block.is_null()
            || self.is_linked(slab, block)
                && (!self.is_poisoned(slab) || Self::is_clean(slab, block));
        if !is_intact {
            self.set_damaged(block.cast());
        }
        !is_intact
    }

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn take_single<'a>(&self, heap: &LocalHeap, slab: &'a Slab) -> Taken<'a> {
        let is_fresh = !slab.has_local();
        if is_fresh {
            let used = slab.used();
            let list = slab.carve(self.space.secret(), self.placement());
            slab.give_back(list, slab.used() - used);
        }
        let zeroed = is_fresh && slab.zeroed.get() && !slab.is_carved_poisoned();
        let block = slab.take_one();
        leave_queue_when_full(heap, slab);
        // SAFETY: the block was just taken.
        unsafe { Block::clear(block) };
        Taken { slab, address: block.cast(), zeroed }
    }

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn fresh_slab(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        watched: Wanted,
    ) -> Option<&Slab> {
        let slices = match watched {
            Wanted::Samples => class.sampled_slab_slices(),
            Wanted::None | Wanted::All => class.slab_slices(),
        };
        let (slab, clean) = self.space.allocate(slices, 1, Purpose::of(watched))?;
        slab.become_slab(class, heap, clean, watched);
        if watched == Wanted::All && self.is_watched.load(Ordering::Relaxed) {
            slab.hold_first();
        }
        if watched != Wanted::None {
            let drawn = (watched == Wanted::Samples).then(|| slab.usable_size());
            self.observer.slab_born(slab, self.column_memory(), drawn);
        }
        Some(slab)
    }

    /// Takes in the blocks that other threads have freed.
    pub(super) fn drain(&self, heap: &LocalHeap) {
        if heap.inbox.is_empty() {
            return;
        }
        let mut block = heap.inbox.take_all();
        while !block.is_null() {
            // SAFETY: the chain is ours, and its links were written by `push`.
            let next = unsafe { Block::next(block) };
            // SAFETY: the block was freed and is on no other list.
            unsafe { self.release_block(heap, block) };
            block = next;
        }
    }

    /// Brings the heap into the mode that the observer wants. The heap is busy.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn follow_mode(&self, heap: &LocalHeap) {
        if !heap.follows_mode() {
            return;
        }
        let wanted = self.observer.wants();
        let quick = wanted == Wanted::All && !self.is_watched.load(Ordering::Relaxed);
        if heap.is_tracked() == (wanted == Wanted::All)
            && heap.is_quick() == quick
            && heap.sample_left().is_some() == (wanted == Wanted::Samples)
        {
            return;
        }
        self.flush_ready(heap);
        if wanted == Wanted::All {
            self.space.part();
        }
        if self.observer.begins() {
            let lives = self.census(heap);
            let blocks = lives.blocks + lives.large_blocks;
            self.observer.lived_before(blocks, lives.used + lives.large);
        }
        // Slabs of the other mode are parked: they serve no more blocks, and go when empty.
        let park = |queue: &Queue| {
            queue.for_each(|slab| {
                queue.remove(slab);
                if slab.used() == 0 {
                    self.end_slab(slab);
                }
            });
        };
        heap.all_queues().for_each(park);
        heap.forget_samples_due();
        heap.set_tracked(wanted == Wanted::All, quick);
        heap.set_sample_left(self.observer.until_sample(heap));
        if wanted == Wanted::Samples {
            heap.add_samples_due(self.looked_at());
        }
    }

    /// Returns the ready blocks to their slabs.
    fn flush_ready(&self, heap: &LocalHeap) {
        for class in (0..CLASS_COUNT).map(ClassId::from_index) {
            let mut block = heap.take_ready(class);
            while !block.is_null() {
                // SAFETY: ready blocks are ours, and chained by `carve` or `push_local`.
                let next = unsafe { Block::next(block) };
                // SAFETY: the block is off the ready list and on no other.
                unsafe { self.release_block(heap, block) };
                block = next;
            }
        }
    }

    /// Puts everything the heap has ready or was sent back into slabs, and ends the empty ones.
    pub(super) fn collect(&self, heap: &LocalHeap) {
        if let Some(_busy) = heap.enter() {
            self.collect_slabs(heap);
        }
    }

    /// As [`Self::collect`], for a heap without a running owner.
    pub(super) fn collect_slabs(&self, heap: &LocalHeap) {
        self.settle(heap);
        self.end_slabs_where(heap, |_| true);
    }

    /// Puts all free blocks of a heap without a running owner into its slabs. One that was orphaned
    /// by a fork still has blocks ready.
    fn settle(&self, heap: &LocalHeap) {
        self.flush_ready(heap);
        self.send(heap.outbox.take());
        self.drain(heap);
    }

    fn tick(&self, heap: &LocalHeap) {
        let ticks = heap.ticks.get().wrapping_add(1);
        heap.ticks.set(ticks);
        if ticks.is_multiple_of(TICKS_PER_SWEEP) {
            self.send(heap.outbox.take());
            self.end_slabs_where(heap, |slab| {
                ticks.wrapping_sub(slab.stamp.get()) >= TICKS_PER_SWEEP
            });
        }
    }

    fn end_slabs_where(&self, heap: &LocalHeap, is_due: impl Fn(&Slab) -> bool) {
        for queue in heap.all_queues() {
            queue.for_each(|slab| {
                if slab.used() == 0 && is_due(slab) {
                    queue.remove(slab);
                    self.end_slab(slab);
                }
            });
        }
    }

    /// A slab of `heap` has no block in use left. The last one of its class is kept for a while,
    /// so that a program that frees and allocates one block does not make a slab each time.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn slab_emptied(&self, heap: &LocalHeap, slab: &Slab) {
        if slab.queued.get()
            && let Some(queue) = heap.queue_of(slab)
        {
            if queue.keeps(slab, heap.ticks.get()) {
                return;
            }
            // Samples are few: their slabs are kept, too.
            if slab.is_tracked() != heap.is_tracked() {
                slab.stamp.set(heap.ticks.get());
                return;
            }
            queue.remove(slab);
        }
        self.end_slab(slab);
        if heap.is_tracked() {
            // Of the blocks that were in the slab, and of the slab: the address of its next owner's
            // first block.
            stack::clear::<{ stack::COLD_PATH }>();
        }
    }

    /// Gives an empty slab, in no queue, back.
    fn end_slab(&self, slab: &Slab) {
        if slab.is_tracked() {
            self.observer.slab_died(slab, self.column_memory());
        }
        let touched = slab.touched_len();
        if self.leaves_traces(slab) {
            // SAFETY: the slab is empty, and ours until it is given back.
            unsafe { self.zero(slab.start(), touched) };
        }
        self.space.free(slab, touched);
    }

    /// Whether blocks of the slab may leave pointers behind that have no business in a tracked one:
    /// those of Heapsight's own, and of what the program allocated before it was tracked. A search
    /// for leaks would find them in blocks that the program has not written to.
    fn leaves_traces(&self, slab: &Slab) -> bool {
        let is_before = || self.observer.wants() == Wanted::All;
        !slab.is_tracked() && (self.private.owns(slab) || is_before())
    }
}

/// Which blocks of a heap's ordinary slabs the observer is to hear of.
pub(super) fn of_whole_slabs(heap: &LocalHeap) -> Wanted {
    if heap.is_tracked() { Wanted::All } else { Wanted::None }
}

pub(super) fn leave_queue_when_full(heap: &LocalHeap, slab: &Slab) {
    if !slab.has_room() {
        if let Some(queue) = heap.queue_of(slab) {
            queue.remove(slab);
        }
        slab.set_full(true);
    }
}
