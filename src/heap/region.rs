//! A region: reserved addresses, with the records of its slices at its start.
//!
//! ```text
//!   base                                              first             carved          total
//!   | slab records, 128 B a slice | heads | dirty | gap | spans in use or free | never used |
//! ```
//!
//! The record of an address is found by arithmetic: `base + (address − base) / 64 KiB · 128 B`.
//! `heads` has a bit for each slice where a span starts, free or not, so spans tile `first..carved`
//! and neighbours are found in a few words. `dirty` has a bit for each slice that may hold anything
//! but zeros.

use super::class::SLICE;
use super::directory::Directory;
use super::slab::Slab;
use super::zones::Purpose;
use crate::base::arith::{div_ceil, round_up};
use crate::base::bitmap::Bitmap;
use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::os::memory;
use core::cell::UnsafeCell;
use core::ptr::NonNull;

/// The public half: what any thread may read at any time.
#[derive(Debug)]
#[repr(C)]
pub(super) struct Region {
    /// First byte of the spans.
    start: AtomicPtr<u8>,
    /// Bytes from `start` whose slices have records. Zero when the slot is empty.
    limit: AtomicUsize,
    /// The record of the slice at `start`.
    records: AtomicPtr<Slab>,
    directory: UnsafeCell<Directory>,
}

const GAP: usize = 1;

pub(super) const fn records_len(total: usize) -> usize {
    round_up(total * size_of::<Slab>(), memory::PAGE)
}

pub(super) const fn bitmap_len(total: usize) -> usize {
    round_up(div_ceil(total, 8), memory::PAGE)
}

const fn first_slice(total: usize) -> usize {
    div_ceil(records_len(total) + 2 * bitmap_len(total), SLICE) + GAP
}

impl Region {
    pub(super) const fn new() -> Self {
        Self {
            start: AtomicPtr::new(core::ptr::null_mut()),
            records: AtomicPtr::new(core::ptr::null_mut()),
            limit: AtomicUsize::new(0),
            directory: UnsafeCell::new(Directory::closed()),
        }
    }

    /// Slices that a region needs to hold a span of `slices`, its own records included.
    pub(super) const fn slices_for(slices: usize) -> usize {
        // A record is 1/512 of a slice; the two bitmaps are less than a page each per 2 GiB.
        slices + slices / 256 + 2 + GAP + first_slice(slices)
    }

    /// Offset of `address` from the first span, if it is in the part that has records. One
    /// subtraction and one comparison reject null, foreign and wild pointers without touching
    /// memory.
    #[inline(always)]
    pub(super) fn offset_of(&self, address: *const u8) -> Option<usize> {
        let offset = (address as usize).wrapping_sub(self.start.load(Ordering::Relaxed) as usize);
        (offset < self.limit.load(Ordering::Relaxed)).then_some(offset)
    }

    /// The record of the slice at `offset`.
    ///
    /// # Safety
    /// [`Region::offset_of`] gave `offset`, and the region has not been released since.
    #[inline(always)]
    pub(super) unsafe fn record(&self, offset: usize) -> &Slab {
        // SAFETY: records below the limit are committed and zero or in use.
        unsafe { &*self.records.load(Ordering::Relaxed).add(offset / SLICE) }
    }

    /// Where the span that holds `offset` starts: its head's record.
    pub(super) fn head_of(&self, offset: usize) -> Option<&Slab> {
        // SAFETY: set once, before `limit` makes any offset valid.
        let (first, bitmaps) =
            unsafe { ((*self.directory.get()).first, (*self.directory.get()).bitmaps) };
        let (heads, _) = bitmaps?;
        let head = heads.previous_set(first + offset / SLICE)?;
        // SAFETY: heads are carved slices, so below the limit.
        Some(unsafe { self.record((head - first) * SLICE) })
    }

    /// The addresses that have records: start and length.
    pub(super) fn extent(&self) -> (usize, usize) {
        (self.start.load(Ordering::Relaxed) as usize, self.limit.load(Ordering::Relaxed))
    }

    pub(super) fn is_empty_slot(&self) -> bool {
        self.start.load(Ordering::Relaxed).is_null()
    }

    /// The directory.
    ///
    /// # Safety
    /// The caller holds the span lock, and keeps no second reference.
    #[expect(clippy::mut_from_ref, reason = "the lock makes the reference unique")]
    pub(super) unsafe fn directory(&self) -> &mut Directory {
        // SAFETY: the caller's.
        unsafe { &mut *self.directory.get() }
    }

    /// Reserves `total` slices and sets the region up. `false`: the system refused.
    ///
    /// # Safety
    /// The caller holds the span lock, and the slot is empty.
    pub(super) unsafe fn open(&self, total: usize) -> bool {
        let Some(base) = memory::reserve(total * SLICE, SLICE) else { return false };
        let bitmaps = records_len(total);
        // SAFETY: the range lies in the reservation.
        let bitmap_start = unsafe { base.add(bitmaps) };
        // SAFETY: as above.
        if !unsafe { memory::commit(bitmap_start, 2 * bitmap_len(total)) } {
            // SAFETY: nobody has seen the reservation.
            unsafe { memory::release(base, total * SLICE) };
            return false;
        }
        let first = first_slice(total);
        // SAFETY: both bitmaps lie in the pages committed above and live as long as the region.
        let views = unsafe {
            let heads = Bitmap::new(bitmap_start.as_ptr(), total);
            (heads, Bitmap::new(bitmap_start.add(bitmap_len(total)).as_ptr(), total))
        };
        // SAFETY: the caller holds the lock.
        *unsafe { self.directory() } = Directory::open(base.as_ptr(), total, first, views);
        // SAFETY: the first span lies behind the records, inside the reservation.
        let (start, records) =
            unsafe { (base.add(first * SLICE).as_ptr(), base.cast::<Slab>().add(first).as_ptr()) };
        self.records.store(records, Ordering::Relaxed);
        self.start.store(start, Ordering::Relaxed);
        true
    }

    /// Gives the whole region back.
    ///
    /// # Safety
    /// The caller holds the span lock; no span of the region is in use.
    pub(super) unsafe fn close(&self) {
        self.limit.store(0, Ordering::Release);
        self.start.store(core::ptr::null_mut(), Ordering::Release);
        // SAFETY: the caller holds the lock.
        let directory = unsafe { self.directory() };
        if let Some(base) = NonNull::new(directory.base) {
            // SAFETY: the caller vouches that nothing is in use.
            unsafe { memory::release(base, directory.total * SLICE) };
        }
        *directory = Directory::closed();
    }

    /// Takes a span of `slices` aligned to `align` slices.
    ///
    /// # Safety
    /// The caller holds the span lock.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) unsafe fn allocate(
        &self,
        slices: usize,
        align: usize,
        purpose: Purpose,
    ) -> Option<&'static Slab> {
        // SAFETY: the caller holds the lock.
        let directory = unsafe { self.directory() };
        let span = directory
            .take(slices, align, purpose)
            .or_else(|| directory.carve(slices, align))
            .or_else(|| directory.take(slices, align, Purpose::Any));
        // Release: a record below the limit is committed before anyone can look it up.
        self.limit.store(directory.carved_len(), Ordering::Release);
        span
    }

    /// Lengthens `span` to `slices` in place, if what follows is free.
    ///
    /// # Safety
    /// The caller holds the span lock and owns the span.
    pub(super) unsafe fn extend(&self, span: &Slab, slices: usize) -> bool {
        // SAFETY: the caller holds the lock.
        let directory = unsafe { self.directory() };
        let extended = directory.extend(span, slices);
        self.limit.store(directory.carved_len(), Ordering::Release);
        extended
    }
}
