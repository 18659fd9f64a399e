//! Floor 5: tracking. The engine's observer: who allocated each living block, and how much.
//!
//! Tracking is a column, not a hash table. Each tracked slab carries, out of band, an array of call
//! sites, one of exact sizes and one of threads, indexed like its blocks ([`columns`]). Recording
//! an allocation stores into them; freeing takes the site out, which also tells a second free.
//! Equal call stacks share a site number ([`sites`]). Sums are kept in [`counters`].

pub(crate) mod columns;
pub(crate) mod counters;
pub(crate) mod sites;

use crate::base::sync::{AtomicBool, AtomicU32, Ordering};
use crate::heap::local::LocalHeap;
use crate::heap::observe::{ColumnMemory, Observer, Slot};
use crate::heap::slab::Slab;
use crate::os::lock::Lock;
use crate::unwind;
use columns::{Columns, ThreadStamp};
use counters::Counters;
use sites::{SiteId, Sites};

/// The observer of the product.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) counters: Counters,
    pub(crate) sites: Sites,
    stacks: AtomicBool,
    /// Forks between the first process and this one, modulo 256.
    forks: AtomicU32,
}

/// Frames of a stack that are kept; a deeper one is marked as truncated.
pub(crate) const DEPTH_MAX: usize = 512;

impl Tracker {
    pub(crate) const fn new() -> Self {
        Self {
            counters: Counters::new(),
            sites: Sites::new(),
            stacks: AtomicBool::new(false),
            forks: AtomicU32::new(0),
        }
    }

    /// Whether allocations record their call stack (`track=full`) or are only counted.
    pub(crate) fn set_stacks(&self, stacks: bool) {
        self.stacks.store(stacks, Ordering::Relaxed);
    }

    fn site(&self, memory: ColumnMemory<'_>) -> SiteId {
        if !self.stacks.load(Ordering::Relaxed) {
            return SiteId::UNKNOWN;
        }
        let mut frames = [0; DEPTH_MAX];
        let walk = unwind::capture(&mut frames);
        self.sites.intern(&frames[..walk.len], walk.truncated, memory)
    }

    fn stamp(&self, heap: &LocalHeap) -> ThreadStamp {
        ThreadStamp::new(heap.thread(), self.forks())
    }

    /// Forks between the first process and this one, modulo 256.
    pub(crate) fn forks(&self) -> u32 {
        self.forks.load(Ordering::Relaxed)
    }

    /// The process has forked, and this is the child: what it has so far, it has inherited.
    pub(crate) fn forked(&self) {
        self.forks.store((self.forks() + 1) % 256, Ordering::Relaxed);
    }

    /// What is recorded of a block; `None` when it is free or was never observed.
    pub(crate) fn record_of(&self, slot: Slot<'_>) -> Option<columns::Record> {
        Columns::of(slot.slab)?.read(slot.index)
    }
}

impl Observer for Tracker {
    fn slab_born(&self, slab: &Slab, memory: ColumnMemory<'_>) {
        Columns::attach(slab, memory);
    }

    fn slab_died(&self, slab: &Slab, memory: ColumnMemory<'_>) {
        Columns::detach(slab, memory);
    }

    fn allocated(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, memory: ColumnMemory<'_>) {
        let Some(columns) = Columns::of(slot.slab) else {
            self.counters.unseen();
            return;
        };
        columns.write(slot.index, self.site(memory), size, self.stamp(heap));
        self.counters.allocated(size);
    }

    fn freed(&self, slot: Slot<'_>) -> bool {
        let Some(columns) = Columns::of(slot.slab) else { return true };
        match columns.take(slot.index) {
            Some(size) => {
                self.counters.freed(size);
                true
            }
            None => false,
        }
    }

    fn lock(&self) -> Option<&Lock> {
        Some(self.sites.lock())
    }

    fn resized(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, memory: ColumnMemory<'_>) {
        let Some(columns) = Columns::of(slot.slab) else { return };
        // The new block is counted first: a block that stays in place never looks freed.
        let old = columns.read(slot.index).map(|record| record.size);
        columns.write(slot.index, self.site(memory), size, self.stamp(heap));
        if let Some(old) = old {
            self.counters.freed(old);
        }
        self.counters.allocated(size);
    }
}
