//! The statistics: exact counts and bytes of all observed blocks.
//!
//! Bytes are those asked for, not those of the size class. A `realloc` counts as one allocation of
//! the new size and one deallocation of the old, whether the block moved or not.
//!
//! A peak under concurrency is the largest value that the one atomic counter of current blocks (or
//! bytes) ever held: every thread compares the value its own addition produced.

use crate::base::sync::{AtomicU64, Ordering};

/// A snapshot. Each field is exact; fields read while other threads allocate may be moments apart.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Snapshot {
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

/// The counters. `current` is signed in spirit: a reset sets the origin of the totals, never the
/// current values, which describe living blocks.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Counters {
    allocations: AtomicU64,
    deallocations: AtomicU64,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    blocks: AtomicU64,
    bytes: AtomicU64,
    peak_blocks: AtomicU64,
    peak_bytes: AtomicU64,
    unseen: AtomicU64,
}

impl Counters {
    pub(crate) const fn new() -> Self {
        Self {
            allocations: AtomicU64::new(0),
            deallocations: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            blocks: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            peak_blocks: AtomicU64::new(0),
            peak_bytes: AtomicU64::new(0),
            unseen: AtomicU64::new(0),
        }
    }

    pub(super) fn allocated(&self, size: usize) {
        let size = size as u64;
        self.allocations.fetch_add(1, Ordering::Relaxed);
        self.bytes_in.fetch_add(size, Ordering::Relaxed);
        raise(&self.peak_blocks, self.blocks.fetch_add(1, Ordering::Relaxed) + 1);
        raise(&self.peak_bytes, self.bytes.fetch_add(size, Ordering::Relaxed) + size);
    }

    pub(super) fn freed(&self, size: usize) {
        self.deallocations.fetch_add(1, Ordering::Relaxed);
        self.bytes_out.fetch_add(size as u64, Ordering::Relaxed);
        self.blocks.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(size as u64, Ordering::Relaxed);
    }

    pub(super) fn unseen(&self) {
        self.unseen.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn snapshot(&self) -> Snapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            total_allocations: read(&self.allocations),
            current_allocations: read(&self.blocks),
            peak_allocations: read(&self.peak_blocks),
            total_deallocations: read(&self.deallocations),
            bytes_allocated: read(&self.bytes_in),
            bytes_deallocated: read(&self.bytes_out),
            current_bytes: read(&self.bytes),
            peak_bytes: read(&self.peak_bytes),
            unseen: read(&self.unseen),
        }
    }

    /// Starts the totals at zero and the peaks at what is current. Living blocks stay counted.
    pub(crate) fn reset(&self) {
        let totals = [&self.allocations, &self.deallocations, &self.bytes_in, &self.bytes_out];
        for counter in totals {
            counter.store(0, Ordering::Relaxed);
        }
        self.peak_blocks.store(self.blocks.load(Ordering::Relaxed), Ordering::Relaxed);
        self.peak_bytes.store(self.bytes.load(Ordering::Relaxed), Ordering::Relaxed);
    }
}

/// Raises a maximum. The plain read first keeps the common case free of a second exchange.
fn raise(peak: &AtomicU64, value: u64) {
    if peak.load(Ordering::Relaxed) < value {
        peak.fetch_max(value, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_follow_the_blocks() {
        let counters = Counters::new();
        counters.allocated(100);
        counters.allocated(50);
        counters.freed(100);
        let now = counters.snapshot();
        assert_eq!((now.total_allocations, now.total_deallocations), (2, 1));
        assert_eq!((now.current_allocations, now.peak_allocations), (1, 2));
        assert_eq!((now.bytes_allocated, now.bytes_deallocated), (150, 100));
        assert_eq!((now.current_bytes, now.peak_bytes), (50, 150));
        counters.reset();
        let now = counters.snapshot();
        assert_eq!((now.total_allocations, now.current_bytes, now.peak_bytes), (0, 50, 50));
    }
}
