//! The address space: one large region, and further ones where address space is limited.
//!
//! Without a limit on addresses (`ulimit -v`) the first region is a terabyte and the only one.
//! Under a limit, or where the system refuses a terabyte, regions are small, more are opened as
//! they fill, and those that empty are given back. All spans of all regions are managed under one
//! lock; looking up an address takes none.

use super::block::Secret;
use super::class::SLICE;
use super::region::Region;
use super::slab::Slab;
use super::zones::Purpose;
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::os::lock::{Guard, Lock};
use crate::os::{clock, memory, process};

/// All regions. The secret and the first region's start, limit and records share the first cache
/// line, which every `free` reads.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Space {
    secret: AtomicUsize,
    regions: [Region; REGIONS_MAX],
    /// One past the highest slot in use.
    open: AtomicUsize,
    lock: Lock,
    /// In milliseconds, as the bits in which it differs from [`PURGE_DELAY_MS`]: a space begins as
    /// zeros.
    purge_delay: AtomicU32,
    purge_due: AtomicU32,
}

// SAFETY: the only non-atomic part of a region is its directory, which the lock guards.
unsafe impl Sync for Space {}

/// What the process's memory amounts to, in bytes.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Footprint {
    /// Handed out once or more by the system, purged or not.
    pub(crate) carved: usize,
    /// Free spans.
    pub(crate) free: usize,
    /// Records of slices.
    pub(crate) records: usize,
    /// Regions.
    pub(crate) regions: usize,
}

const REGIONS_MAX: usize = 128;
/// The ladder of reservations, in bytes.
const LADDER: [usize; 6] = [1 << 40, 1 << 37, 1 << 35, 1 << 33, 1 << 30, 1 << 27];
/// Under an address limit a region takes this fraction of it.
const LIMIT_SHARE: usize = 32;
const REGION_MIN: usize = 16 << 20;
/// A free span longer than this goes back to the system at once: glibc's threshold for the same.
const PURGE_AT_ONCE: usize = 32 << 20;
/// Most bytes that one tick purges, so that no single `free` waits for gigabytes.
const PURGE_BUDGET: usize = 64 << 20;
/// The delay until another one is set.
const PURGE_DELAY_MS: u32 = 500;
/// As a delay: never purge by time.
pub(crate) const NEVER: u32 = u32::MAX;

impl Space {
    pub(crate) const fn new() -> Self {
        Self {
            secret: AtomicUsize::new(0),
            regions: [const { Region::new() }; REGIONS_MAX],
            open: AtomicUsize::new(0),
            lock: Lock::new(),
            purge_delay: AtomicU32::new(0),
            purge_due: AtomicU32::new(0),
        }
    }

    /// Freed memory goes back to the system after `ms` milliseconds; 0: at once; [`NEVER`].
    pub(crate) fn set_purge_delay(&self, ms: u32) {
        self.purge_delay.store(ms ^ PURGE_DELAY_MS, Ordering::Relaxed);
    }

    #[inline(always)]
    pub(super) fn secret(&self) -> Secret {
        Secret(self.secret.load(Ordering::Relaxed))
    }

    /// The slab whose first slice holds `address`, if `address` is in the first region at all.
    /// For another slice of a span this is a record without an owner.
    #[inline(always)]
    pub(super) fn record_of(&self, address: *const u8) -> Option<&Slab> {
        let region = &self.regions[0];
        // SAFETY: the first region is never released.
        region.offset_of(address).map(|offset| unsafe { region.record(offset) })
    }

    /// The span that holds `address`, free or in use, in any region.
    pub(crate) fn span_of(&self, address: *const u8) -> Option<&Slab> {
        self.regions[..self.open.load(Ordering::Acquire)]
            .iter()
            .find_map(|region| region.offset_of(address).and_then(|offset| region.head_of(offset)))
    }

    /// Takes a span of `slices` aligned to `align` slices; whether it reads as zero throughout.
    /// `None` when memory or addresses ran out.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn allocate(
        &self,
        slices: usize,
        align: usize,
        purpose: Purpose,
    ) -> Option<(&Slab, bool)> {
        let guard = self.lock.acquire()?;
        if self.secret.load(Ordering::Relaxed) == 0 {
            self.secret.store(process::random_word() | 1, Ordering::Relaxed);
        }
        let open = self.open.load(Ordering::Relaxed);
        let found = self.regions[..open]
            .iter()
            .filter(|region| !region.is_empty_slot())
            // SAFETY: `guard` is the lock.
            .find_map(|region| Some((region, unsafe { region.allocate(slices, align, purpose) }?)));
        let (region, span) = match found {
            Some(found) => found,
            None => self.allocate_in_new_region(&guard, slices, align)?,
        };
        // SAFETY: `guard` is the lock.
        Some((span, unsafe { region.directory() }.is_clean(span)))
    }

    #[cold]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn allocate_in_new_region(
        &self,
        guard: &Guard<'_>,
        slices: usize,
        align: usize,
    ) -> Option<(&Region, &'static Slab)> {
        let region = self.open_region(guard, Region::slices_for(slices + align - 1))?;
        // SAFETY: `guard` is the lock.
        let span = unsafe { region.allocate(slices, align, Purpose::Any) }?;
        Some((region, span))
    }

    fn open_region(&self, _lock: &Guard<'_>, least: usize) -> Option<&Region> {
        let slot = self.regions.iter().position(Region::is_empty_slot)?;
        let region = &self.regions[slot];
        let least_len = least.checked_mul(SLICE)?;
        let limited = memory::address_space_limit();
        let share = limited.map_or(usize::MAX, |limit| (limit / LIMIT_SHARE).max(REGION_MIN));
        LADDER
            .into_iter()
            .filter(|len| *len <= share)
            .chain([share.min(REGION_MIN)])
            .filter(|len| *len > least_len)
            .chain([least_len])
            // SAFETY: the lock is held, and the slot is empty.
            .find(|len| unsafe { region.open(len / SLICE) })?;
        // Release: whoever sees the slot sees the region.
        self.open.fetch_max(slot + 1, Ordering::Release);
        Some(region)
    }

    /// Tracking begins: what was in use before is kept apart from here on.
    pub(super) fn part(&self) {
        let Some(_lock) = self.lock.acquire() else { return };
        for region in self.regions.iter().filter(|region| !region.is_empty_slot()) {
            // SAFETY: `_lock` is the lock.
            unsafe { region.directory() }.part();
        }
    }

    /// Gives a span back. `touched` bytes of it may have been written.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn free(&self, span: &Slab, touched: usize) {
        // `None`: a signal handler frees a large block while this thread is in here. The span is
        // lost, which is the price of not deadlocking in a program that breaks POSIX's rules.
        let Some(_lock) = self.lock.acquire() else { return };
        let Some(region) = self.region_of(span) else { return };
        // SAFETY: `_lock` is the lock.
        let directory = unsafe { region.directory() };
        directory.mark_dirty(span, touched);
        let delay = self.purge_delay.load(Ordering::Relaxed) ^ PURGE_DELAY_MS;
        if delay == 0 || (span.len() >= PURGE_AT_ONCE && delay != NEVER) {
            directory.purge(span);
        }
        directory.free(span, clock::coarse_ms());
        if !core::ptr::eq(region, &raw const self.regions[0]) && directory.is_unused() {
            // SAFETY: the lock is held and nothing is in use.
            unsafe { region.close() };
        }
        self.purge_expired(delay);
    }

    /// Lengthens a span in place to `slices`, if what follows it is free.
    pub(super) fn extend(&self, span: &Slab, slices: usize) -> bool {
        let Some(_lock) = self.lock.acquire() else { return false };
        // SAFETY: `_lock` is the lock.
        self.region_of(span).is_some_and(|region| unsafe { region.extend(span, slices) })
    }

    /// Shortens a span in place to `slices` and frees the rest, of which everything may be dirty.
    pub(super) fn shorten(&self, span: &Slab, slices: usize) {
        let rest = {
            let Some(_lock) = self.lock.acquire() else { return };
            let Some(region) = self.region_of(span) else { return };
            // SAFETY: `_lock` is the lock.
            unsafe { region.directory() }.split(span, slices)
        };
        self.free(rest, rest.len());
    }

    /// Visits the runs of a span in use that may hold anything but zeros. They change by its user
    /// alone, so the lock is only held while they are looked up: emptying them takes its time.
    pub(super) fn for_each_dirty(&self, span: &Slab, mut visit: impl FnMut(*mut u8, usize)) {
        let mut from = 0;
        while let Some((slice, len)) = self.next_dirty(span, from) {
            visit(span.start().wrapping_add(slice * SLICE), len * SLICE);
            from = slice + len;
        }
    }

    /// The first dirty run of a span from one of its slices on: slice and length in slices.
    fn next_dirty(&self, span: &Slab, from: usize) -> Option<(usize, usize)> {
        let _lock = self.lock.acquire()?;
        let region = self.region_of(span)?;
        // SAFETY: `_lock` is the lock.
        unsafe { region.directory() }.next_dirty(span, from)
    }

    /// Records that the span reads as zero: its pages were moved away.
    pub(super) fn mark_clean(&self, span: &Slab) {
        let Some(_lock) = self.lock.acquire() else { return };
        if let Some(region) = self.region_of(span) {
            // SAFETY: `_lock` is the lock.
            unsafe { region.directory() }.mark_clean(span);
        }
    }

    fn region_of(&self, span: &Slab) -> Option<&Region> {
        let address = span.start();
        self.regions.iter().find(|region| region.offset_of(address).is_some())
    }

    // --- Purging ---

    /// Purges free spans whose time has come. The lock is held.
    fn purge_expired(&self, delay: u32) {
        let now = clock::coarse_ms();
        let due = self.purge_due.load(Ordering::Relaxed);
        if delay == NEVER || (due != 0 && (now.wrapping_sub(due) as i32) < 0) {
            return;
        }
        let purged =
            self.purge_where(PURGE_BUDGET, |span| now.wrapping_sub(span.stamp.get()) >= delay);
        // With the budget spent there is more to do: come back soon.
        let pause = if purged >= PURGE_BUDGET { delay / 16 } else { delay / 2 };
        self.purge_due.store(now.wrapping_add(pause.max(1)) | 1, Ordering::Relaxed);
    }

    fn purge_where(&self, budget: usize, is_due: impl Fn(&Slab) -> bool) -> usize {
        let mut purged = 0;
        for region in &self.regions[..self.open.load(Ordering::Relaxed)] {
            // SAFETY: both callers hold the lock.
            let directory = unsafe { region.directory() };
            directory.bins.for_each(|span| {
                if span.dirty.get() && purged < budget && is_due(span) {
                    purged += directory.purge(span);
                }
            });
        }
        purged
    }

    /// Gives the memory of all free spans back; the bytes given back.
    pub(crate) fn purge_all(&self) -> usize {
        self.lock.acquire().map_or(0, |_lock| self.purge_where(usize::MAX, |_| true))
    }

    /// Gives the addresses that were never used back, but for a small headroom: the program is
    /// about to limit its own address space.
    pub(crate) fn give_up_headroom(&self, limit: usize) {
        let Some(_lock) = self.lock.acquire() else { return };
        let keep = (limit / LIMIT_SHARE).max(REGION_MIN) / SLICE;
        // The first alone is large, and it is never closed.
        if !self.regions[0].is_empty_slot() {
            // SAFETY: `_lock` is the lock.
            unsafe { self.regions[0].directory() }.trim(keep);
        }
    }

    // --- Questions ---

    /// Visits every span of every region, free or not. Spans may be made, split and freed only by
    /// the visitor's own thread meanwhile, so the visit must not allocate or free.
    pub(crate) fn for_each_span(&self, visit: impl FnMut(&Slab)) {
        if let Some(_lock) = self.lock.acquire() {
            self.for_each_span_held(visit);
        }
    }

    /// As [`Self::for_each_span`], for a caller that holds the lock already.
    pub(super) fn for_each_span_held(&self, mut visit: impl FnMut(&Slab)) {
        debug_assert!(self.lock.is_mine());
        for region in &self.regions[..self.open.load(Ordering::Relaxed)] {
            // SAFETY: the caller holds the lock.
            unsafe { region.directory() }.for_each_span(&mut visit);
        }
    }

    /// Visits all addresses that are the heap's, its records included: start and length. The caller
    /// holds the lock.
    pub(super) fn for_each_reservation_held(&self, mut visit: impl FnMut(usize, usize)) {
        debug_assert!(self.lock.is_mine());
        for region in &self.regions[..self.open.load(Ordering::Relaxed)] {
            // SAFETY: the caller holds the lock.
            let (start, len) = unsafe { region.directory() }.reservation();
            if len > 0 {
                visit(start, len);
            }
        }
    }

    /// Visits the addresses of every region that spans were cut from: start and length.
    pub(super) fn for_each_extent(&self, mut visit: impl FnMut(usize, usize)) {
        let open = &self.regions[..self.open.load(Ordering::Acquire)];
        open.iter().map(Region::extent).filter(|(_, len)| *len > 0).for_each(|(start, len)| {
            visit(start, len);
        });
    }

    pub(crate) fn footprint(&self) -> Footprint {
        let mut sum = Footprint::default();
        let Some(_lock) = self.lock.acquire() else { return sum };
        for region in self.regions.iter().filter(|region| !region.is_empty_slot()) {
            // SAFETY: `_lock` is the lock.
            let directory = unsafe { region.directory() };
            sum.carved += directory.carved_len();
            sum.records += directory.records_len();
            sum.regions += 1;
            directory.bins.for_each(|span| sum.free += span.len());
        }
        sum
    }

    /// Checks every directory; the number of contradictions.
    pub(super) fn check(&self) -> usize {
        let Some(_lock) = self.lock.acquire() else { return 0 };
        let open = self.regions.iter().filter(|region| !region.is_empty_slot());
        // SAFETY: `_lock` is the lock.
        open.map(|region| unsafe { region.directory() }.check()).sum()
    }

    /// Gives all regions back: an engine of a test ends, the process's never does.
    #[cfg(test)]
    pub(crate) fn release_for_test(&self) {
        let Some(_lock) = self.lock.acquire() else { return };
        for region in self.regions.iter().filter(|region| !region.is_empty_slot()) {
            // SAFETY: the lock is held, and the test uses nothing of the engine any more.
            unsafe { region.close() };
        }
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }
}
