//! Any allocator, counted: for one that is not Heapsight's, or for a part of a program.

use crate::report::MemoryStats;
use allocator_api2::alloc::{AllocError, Allocator};
use core::alloc::{GlobalAlloc, Layout};
use core::ptr::NonNull;
use core::sync::atomic::{AtomicU64, Ordering};

/// An allocator that counts what goes through it, and has another one serve it.
///
/// ```
/// use heapsight::Tracked;
/// use std::alloc::System;
///
/// #[global_allocator]
/// static HEAP: Tracked<System> = Tracked::new(System);
///
/// fn main() {
///     let before = HEAP.stats();
///     let kept = vec![0u8; 1000];
///     let after = HEAP.stats();
///     assert_eq!(after.current_bytes - before.current_bytes, 1000);
///     assert_eq!(after.total_allocations - before.total_allocations, 1);
///     drop(kept);
/// }
/// ```
///
/// Counts and bytes are exact, and so is a peak: it is the largest value that the counter of what
/// is in use ever had. Read while other threads allocate, the numbers may be moments apart. Each
/// call takes a handful of atomic operations on one line of memory; Heapsight's own statistics
/// ([`stats`](crate::stats)) take none that threads would share.
#[derive(Debug, Default)]
pub struct Tracked<A> {
    inner: A,
    counters: Counters,
}

/// In the order of [`MemoryStats`], without what follows from the others.
#[derive(Debug, Default)]
struct Counters {
    allocated: Counter,
    freed: Counter,
    current: Counter,
    peak: Counter,
}

/// Blocks and bytes.
#[derive(Debug, Default)]
struct Counter {
    blocks: AtomicU64,
    bytes: AtomicU64,
}

impl<A> Tracked<A> {
    /// Counts what `inner` serves, from zero.
    #[must_use]
    pub const fn new(inner: A) -> Self {
        let counters = Counters {
            allocated: Counter::new(),
            freed: Counter::new(),
            current: Counter::new(),
            peak: Counter::new(),
        };
        Self { inner, counters }
    }

    /// The allocator that serves.
    pub const fn inner(&self) -> &A {
        &self.inner
    }

    /// The statistics of all that went through.
    #[must_use]
    pub fn stats(&self) -> MemoryStats {
        let Counters { allocated, freed, current, peak } = &self.counters;
        MemoryStats {
            total_allocations: allocated.blocks(),
            current_allocations: current.blocks(),
            peak_allocations: peak.blocks(),
            total_deallocations: freed.blocks(),
            bytes_allocated: allocated.bytes(),
            bytes_deallocated: freed.bytes(),
            current_bytes: current.bytes(),
            peak_bytes: peak.bytes(),
        }
    }

    /// Starts the totals at zero, and the peaks at what is current. What other threads do at that
    /// moment may be counted before or after it.
    pub fn reset_stats(&self) {
        let Counters { allocated, freed, current, peak } = &self.counters;
        for total in [allocated, freed] {
            total.blocks.store(0, Ordering::Relaxed);
            total.bytes.store(0, Ordering::Relaxed);
        }
        peak.blocks.store(current.blocks(), Ordering::Relaxed);
        peak.bytes.store(current.bytes(), Ordering::Relaxed);
    }

    /// Whether anything that went through is still in use: at the end of a program, what was not
    /// freed.
    #[must_use]
    pub fn is_anything_in_use(&self) -> bool {
        self.counters.current.blocks() != 0
    }
}

impl Counter {
    const fn new() -> Self {
        Self { blocks: AtomicU64::new(0), bytes: AtomicU64::new(0) }
    }

    fn blocks(&self) -> u64 {
        self.blocks.load(Ordering::Relaxed)
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// One more block; the sums.
    fn add(&self, bytes: u64) -> (u64, u64) {
        let blocks = self.blocks.fetch_add(1, Ordering::Relaxed) + 1;
        (blocks, self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes)
    }

    fn subtract(&self, bytes: u64) {
        self.blocks.fetch_sub(1, Ordering::Relaxed);
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}

impl Counters {
    fn count_allocation(&self, size: usize) {
        self.allocated.add(size as u64);
        let (blocks, bytes) = self.current.add(size as u64);
        self.peak.blocks.fetch_max(blocks, Ordering::Relaxed);
        self.peak.bytes.fetch_max(bytes, Ordering::Relaxed);
    }

    fn count_free(&self, size: usize) {
        self.freed.add(size as u64);
        self.current.subtract(size as u64);
    }

    /// A block of `old` bytes became one of `new`: counted as both, the end of the old one first,
    /// so that no peak holds the two.
    fn count_resize(&self, old: usize, new: usize) {
        self.count_free(old);
        self.count_allocation(new);
    }
}

// SAFETY: the inner allocator's blocks, as it gives them.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Tracked<A> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.inner.alloc(layout) };
        if !block.is_null() {
            self.counters.count_allocation(layout.size());
        }
        block
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's promise.
        let block = unsafe { self.inner.alloc_zeroed(layout) };
        if !block.is_null() {
            self.counters.count_allocation(layout.size());
        }
        block
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        // Before somebody else has the memory: no peak counts it twice.
        self.counters.count_free(layout.size());
        // SAFETY: the caller's promise.
        unsafe { self.inner.dealloc(block, layout) };
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: the caller's promise.
        let resized = unsafe { self.inner.realloc(block, layout, new_size) };
        if !resized.is_null() {
            self.counters.count_resize(layout.size(), new_size);
        }
        resized
    }
}

/// The methods of [`Allocator`] that resize: each is the inner allocator's, and counted.
macro_rules! resizes {
    ($($name:ident)*) => {
        $(
            unsafe fn $name(
                &self,
                block: NonNull<u8>,
                old: Layout,
                new: Layout,
            ) -> Result<NonNull<[u8]>, AllocError> {
                // SAFETY: the caller's promise.
                let resized = unsafe { self.inner.$name(block, old, new) }?;
                self.counters.count_resize(old.size(), new.size());
                Ok(resized)
            }
        )*
    };
}

// SAFETY: the inner allocator's blocks, as it gives them.
unsafe impl<A: Allocator> Allocator for Tracked<A> {
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let block = self.inner.allocate(layout)?;
        self.counters.count_allocation(layout.size());
        Ok(block)
    }

    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        let block = self.inner.allocate_zeroed(layout)?;
        self.counters.count_allocation(layout.size());
        Ok(block)
    }

    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        self.counters.count_free(layout.size());
        // SAFETY: the caller's promise.
        unsafe { self.inner.deallocate(block, layout) };
    }

    resizes! { grow grow_zeroed shrink }
}
