//! Moments of a thread: what it has counted up to one, and which blocks are from before it.
//!
//! A thread counts for itself, so the difference of two moments is what it did between them,
//! exactly, whatever other threads do. The allocation clock goes on to its next tick at a moment:
//! no block from before has the same time as one from after.

use super::columns::Stamp;
use super::recorder::Recorder;
use super::stats::Sums;
use super::{SiteId, Tracker};
use crate::base::sync::Ordering;
use crate::format::layout;
use crate::heap::local::LocalHeap;

/// A moment of the calling thread.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The thread's number in the ledger; zero when that has no room for it.
    pub(crate) thread: u32,
    /// Blocks from before have a smaller [`Stamp::tick`], later ones this or a larger one.
    pub(crate) tick: u64,
    /// What the thread has counted.
    pub(crate) sums: Sums,
}

/// What was allocated at a site.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct SiteSums {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
}

impl Tracker {
    /// This moment. `heap` is the calling thread's. `None`: there is no room for its counters.
    pub(crate) fn moment(&self, heap: &LocalHeap) -> Option<Moment> {
        let recorder = self.recorder(heap)?;
        let thread = recorder.thread(&self.ledger, heap.thread());
        Some(Moment { thread, tick: recorder.next_tick(), sums: Sums::of(recorder.shard()) })
    }

    /// What a thread, which may have ended, has counted so far. `None`: it is not in the ledger.
    pub(crate) fn sums_of_thread(&self, number: u32) -> Option<Sums> {
        let is_known = number != 0 && number < self.ledger.threads.len();
        let thread = self.ledger.threads.get(number).filter(|_| is_known)?;
        if thread.ended_tick.load(Ordering::Acquire) != 0 {
            return Some(Sums::recorded(&thread.last));
        }
        self.ledger.shards.get(thread.shard.load(Ordering::Relaxed)).map(Sums::of)
    }

    /// Visits the sites at which `heap` has ever allocated. It is the calling thread's.
    pub(crate) fn for_each_site(&self, heap: &LocalHeap, visit: impl FnMut(SiteId, SiteSums)) {
        if let Some(recorder) = super::recorder_of(heap) {
            recorder.for_each_site(&self.ledger, visit);
        }
    }
}

impl Sums {
    fn of(shard: &layout::Shard) -> Self {
        let mut sums = Self::default();
        shard.classes.iter().for_each(|cell| sums.add(cell));
        sums.balanced()
    }

    fn recorded(sums: &layout::Sums) -> Self {
        Self {
            allocations: sums.allocations.load(Ordering::Relaxed),
            bytes_in: sums.bytes.load(Ordering::Relaxed),
            frees: sums.frees.load(Ordering::Relaxed),
            bytes_out: sums.freed_bytes.load(Ordering::Relaxed),
            ..Self::default()
        }
        .balanced()
    }

    /// What came after `earlier`, sums of the same thread.
    pub(crate) fn since(&self, earlier: &Self) -> Self {
        Self {
            allocations: self.allocations.wrapping_sub(earlier.allocations),
            bytes_in: self.bytes_in.wrapping_sub(earlier.bytes_in),
            frees: self.frees.wrapping_sub(earlier.frees),
            bytes_out: self.bytes_out.wrapping_sub(earlier.bytes_out),
            ..Self::default()
        }
        .balanced()
    }
}

impl Recorder {
    /// Moves the clock on to its next tick, which is that of whatever is allocated from now on.
    fn next_tick(&self) -> u64 {
        let tick = Stamp::new(0, self.clock()).tick() + 1;
        self.advance_clock(Stamp::clock_of(tick));
        tick
    }
}

#[cfg(test)]
mod tests {
    use super::super::Recorded;
    use super::super::ledger::LEN_MIN;
    use super::*;
    use crate::heap::alloc::Request;
    use crate::heap::engine::Engine;
    use crate::unwind::Registers;
    use proptest::prelude::*;
    use std::boxed::Box;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 64, ..ProptestConfig::default() })]

        #[test]
        fn a_moment_is_between_what_was_before_and_what_comes(
            // Zero is a moment.
            sizes in prop::collection::vec(prop_oneof![Just(0_usize), 1..300_usize], 1..200),
        ) {
            // Heaps and ledgers are never unmapped, so neither is what refers to them.
            let engine: &Engine<Tracker> = Box::leak(Box::new(Engine::new(Tracker::new())));
            let tracker = &engine.observer;
            tracker.open_ledger(LEN_MIN);
            let heap = engine.attach().expect("memory");
            tracker.record(Recorded::Sums);
            engine.follow_observer(heap);
            let first = tracker.moment(heap).expect("room");
            let (mut moments, mut counted) = (Vec::from([first]), Vec::from([(0, 0)]));
            for size in sizes {
                if size == 0 {
                    moments.push(tracker.moment(heap).expect("room"));
                    counted.push((0, 0));
                    continue;
                }
                let block = engine.allocate(heap, Request::plain(size, Registers::NOWHERE));
                let record = tracker.record_of(engine.slot_of(block).expect("ours"));
                let stamp = record.expect("a record").stamp;
                prop_assert_eq!(stamp.thread(), first.thread);
                let last = moments.last().expect("one").tick;
                prop_assert!(stamp.tick() >= last, "{} after {last}", stamp.tick());
                // The next moment would be later.
                let next = tracker.moment(heap).expect("room");
                prop_assert!(stamp.tick() < next.tick);
                let (blocks, bytes) = counted.last_mut().expect("one");
                (*blocks, *bytes) = (*blocks + 1, *bytes + size as u64);
            }
            moments.push(tracker.moment(heap).expect("room"));
            for (pair, (blocks, bytes)) in moments.windows(2).zip(counted) {
                let sums = pair[1].sums.since(&pair[0].sums);
                prop_assert_eq!((sums.allocations, sums.bytes_in), (blocks, bytes));
                prop_assert!(pair[0].tick < pair[1].tick);
            }
            let by_thread = tracker.sums_of_thread(first.thread).expect("it is known");
            prop_assert_eq!(by_thread, moments.last().expect("one").sums);
        }
    }
}
