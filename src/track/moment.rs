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
        self.set_clock(Stamp::clock_of(tick));
        tick
    }
}
