//! Statistics of the process: sums over all recorders.

use super::Tracker;
use super::event;
use super::ledger::Ledger;
use crate::base::sync::{AtomicI64, AtomicU64, Ordering};
use crate::format::layout::{ClassCell, Shared};

/// Sums since tracking began. Each is exact; read while other threads allocate, they may be moments
/// apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) allocations: u64,
    pub(crate) bytes_in: u64,
    pub(crate) frees: u64,
    pub(crate) bytes_out: u64,
    /// In use.
    pub(crate) blocks: i64,
    pub(crate) bytes: i64,
}

/// What the statistics show: totals since they were reset, and what is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Statistics {
    pub(crate) total_allocations: u64,
    pub(crate) current_allocations: u64,
    pub(crate) peak_allocations: u64,
    pub(crate) total_deallocations: u64,
    pub(crate) bytes_allocated: u64,
    pub(crate) bytes_deallocated: u64,
    pub(crate) current_bytes: u64,
    pub(crate) peak_bytes: u64,
    /// Blocks handed out while there was no memory to record them.
    pub(crate) unseen: u64,
}

/// The totals when they were reset.
#[derive(Debug)]
pub(super) struct Baseline {
    allocations: AtomicU64,
    bytes_in: AtomicU64,
    frees: AtomicU64,
    bytes_out: AtomicU64,
}

impl Baseline {
    pub(super) const fn new() -> Self {
        Self {
            allocations: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            frees: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
        }
    }

    fn set(&self, sums: Sums) {
        self.allocations.store(sums.allocations, Ordering::Relaxed);
        self.bytes_in.store(sums.bytes_in, Ordering::Relaxed);
        self.frees.store(sums.frees, Ordering::Relaxed);
        self.bytes_out.store(sums.bytes_out, Ordering::Relaxed);
    }
}

impl Sums {
    pub(super) fn add(&mut self, cell: &ClassCell) {
        self.allocations += cell.allocations.load(Ordering::Relaxed);
        self.bytes_in += cell.bytes.load(Ordering::Relaxed);
        self.frees += cell.frees.load(Ordering::Relaxed);
        self.bytes_out += cell.freed_bytes.load(Ordering::Relaxed);
    }

    /// These and others.
    pub(crate) fn plus(self, other: &Self) -> Self {
        Self {
            allocations: self.allocations + other.allocations,
            bytes_in: self.bytes_in + other.bytes_in,
            frees: self.frees + other.frees,
            bytes_out: self.bytes_out + other.bytes_out,
            ..self
        }
        .balanced()
    }

    /// With what is in use by the other sums.
    pub(super) fn balanced(self) -> Self {
        Self {
            blocks: self.allocations.wrapping_sub(self.frees).cast_signed(),
            bytes: self.bytes_in.wrapping_sub(self.bytes_out).cast_signed(),
            ..self
        }
    }
}

impl Ledger {
    /// Adds all shards up. Takes time in proportion to the number of threads that ever allocated
    /// at once.
    pub(crate) fn sums(&self) -> Sums {
        let mut sums = Sums::default();
        for shard in (0..self.shards.len()).filter_map(|number| self.shards.get(number)) {
            shard.classes.iter().for_each(|cell| sums.add(cell));
        }
        sums.balanced()
    }

    pub(super) fn name_classes(&self) {
        let Some(header) = self.header() else { return };
        for (index, size) in header.class_sizes.iter().enumerate() {
            size.store(event::class_cell_size(index), Ordering::Relaxed);
        }
    }
}

impl Tracker {
    /// The statistics now.
    pub(crate) fn statistics(&self) -> Statistics {
        let sums = self.ledger.sums();
        let since = |now: u64, then: &AtomicU64| now.wrapping_sub(then.load(Ordering::Relaxed));
        let current = |value: i64| u64::try_from(value).unwrap_or(0);
        let Some(header) = self.ledger.header() else { return Statistics::default() };
        let peak = |value: &AtomicI64, now: i64| current(value.load(Ordering::Relaxed).max(now));
        Statistics {
            total_allocations: since(sums.allocations, &self.baseline.allocations),
            total_deallocations: since(sums.frees, &self.baseline.frees),
            bytes_allocated: since(sums.bytes_in, &self.baseline.bytes_in),
            bytes_deallocated: since(sums.bytes_out, &self.baseline.bytes_out),
            current_allocations: current(sums.blocks),
            current_bytes: current(sums.bytes),
            peak_allocations: peak(&header.shared.peak_blocks, sums.blocks),
            peak_bytes: peak(&header.shared.peak_bytes, sums.bytes),
            unseen: header.unseen.load(Ordering::Relaxed),
        }
    }

    /// Starts the totals at zero and the peaks at what is current. Living blocks stay counted.
    pub(crate) fn reset_statistics(&self) {
        let sums = self.ledger.sums();
        self.baseline.set(sums);
        if let Some(header) = self.ledger.header() {
            header.shared.peak_blocks.store(sums.blocks, Ordering::Relaxed);
            header.shared.peak_bytes.store(sums.bytes, Ordering::Relaxed);
        }
    }
}

impl Shared {
    /// Largest number of bytes in use since `clock`, as far as it is known: the peak if that was
    /// since then, or else what is in use `now`.
    pub(super) fn high_bytes(&self, clock: u64, now: i64) -> i64 {
        let is_news = self.peak_clock.load(Ordering::Relaxed) >= clock;
        if is_news { now.max(self.peak_bytes.load(Ordering::Relaxed)) } else { now }
    }
}
