//! The directory of a region: which spans there are, which are free, and which read as zero.
//!
//! Spans tile the carved part of the region without gaps. A free span never has a free neighbour,
//! is in a bin by its length, and remembers when its oldest dirty part was freed. All of it is
//! guarded by the lock of the [`super::space::Space`].

use super::class::SLICE;
use super::region::{bitmap_len, records_len};
use super::slab::{Kind, Slab};
use super::zones::{Purpose, Zones};
use crate::base::arith::{div_ceil, round_up};
use crate::base::bitmap::Bitmap;
use crate::os::memory;
use core::ptr::{self, NonNull};

/// What the span lock guards.
#[derive(Debug)]
pub(super) struct Directory {
    pub(super) base: *mut u8,
    pub(super) total: usize,
    /// Slice of the first span; below it lie the records.
    pub(super) first: usize,
    /// Slices handed out so far; above it nothing was ever used.
    pub(super) carved: usize,
    committed: usize,
    records_committed: usize,
    /// A bit for each slice where a span starts, and one for each that may not be zero.
    pub(super) bitmaps: Option<(Bitmap, Bitmap)>,
    pub(super) bins: Zones,
}

const COMMIT_MIN: usize = 16;
const COMMIT_MAX: usize = 1024;
impl Directory {
    /// That of a slot without a region.
    pub(super) const fn closed() -> Self {
        Self {
            base: ptr::null_mut(),
            total: 0,
            first: 0,
            carved: 0,
            committed: 0,
            records_committed: 0,
            bitmaps: None,
            bins: Zones::new(),
        }
    }

    /// All addresses of the region: start and length.
    pub(super) fn reservation(&self) -> (usize, usize) {
        (self.base as usize, self.total * SLICE)
    }

    /// That of a region just reserved at `base`, whose spans start at slice `first`.
    pub(super) fn open(
        base: *mut u8,
        total: usize,
        first: usize,
        bitmaps: (Bitmap, Bitmap),
    ) -> Self {
        Self {
            base,
            total,
            first,
            carved: first,
            committed: first,
            // The records' own slices need none.
            records_committed: first * size_of::<Slab>() / memory::PAGE * memory::PAGE,
            bitmaps: Some(bitmaps),
            ..Self::closed()
        }
    }

    fn record(&self, slice: usize) -> &'static Slab {
        debug_assert!(slice < self.carved);
        // SAFETY: records of carved slices are committed, and stay so while the region lives.
        unsafe { &*self.base.add(slice * size_of::<Slab>()).cast() }
    }

    fn slice_of(&self, span: &Slab) -> usize {
        (span.start() as usize - self.base as usize) / SLICE
    }

    fn address(&self, slice: usize) -> *mut u8 {
        self.base.wrapping_add(slice * SLICE)
    }

    fn heads(&self) -> Bitmap {
        self.bitmaps.map_or(Bitmap::EMPTY, |(heads, _)| heads)
    }

    fn dirty(&self) -> Bitmap {
        self.bitmaps.map_or(Bitmap::EMPTY, |(_, dirty)| dirty)
    }

    /// Bytes handed out once or more, and the bytes of the records behind them.
    pub(super) fn carved_len(&self) -> usize {
        (self.carved - self.first) * SLICE
    }

    pub(super) fn records_len(&self) -> usize {
        (self.carved - self.first) * size_of::<Slab>()
    }

    /// From the free spans.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn take(
        &mut self,
        slices: usize,
        align: usize,
        purpose: Purpose,
    ) -> Option<&'static Slab> {
        let span = self.bins.take(slices + align - 1, purpose)?;
        let mut start = self.slice_of(span);
        let lead = self.lead(start, align);
        let (stamp, dirty, len) = (span.stamp.get(), span.dirty.get(), span.slices());
        if lead > 0 {
            self.describe_free(start, lead, stamp, dirty);
            start += lead;
        }
        let rest = len - lead - slices;
        if rest > 0 {
            self.describe_free(start + slices, rest, stamp, dirty);
        }
        Some(self.describe_used(start, slices))
    }

    /// From the addresses never used before.
    pub(super) fn carve(&mut self, slices: usize, align: usize) -> Option<&'static Slab> {
        let lead = self.lead(self.carved, align);
        let start = self.carved + lead;
        if start + slices > self.total || !self.commit(start + slices) {
            return None;
        }
        let gap = self.carved;
        self.carved = start + slices;
        let span = self.describe_used(start, slices);
        if lead > 0 {
            // Freed rather than described as free: what lies before it may be free, too.
            let lead = self.describe_used(gap, lead);
            lead.dirty.set(false);
            self.free(lead, 0);
        }
        Some(span)
    }

    /// Tracking begins: see [`super::zones`].
    pub(super) fn part(&mut self) {
        self.bins.part(self.address(self.carved));
    }

    /// How many slices there are from `start` to the first that is aligned.
    fn lead(&self, start: usize, align: usize) -> usize {
        (self.base as usize / SLICE + start).wrapping_neg() & (align - 1)
    }

    /// Makes slices below `end` usable, in growing steps: few system calls, and one mapping.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn commit(&mut self, end: usize) -> bool {
        let records = (round_up(end * size_of::<Slab>(), SLICE)).min(records_len(self.total));
        if records > self.records_committed {
            let len = records - self.records_committed;
            if !Self::commit_range(self.base.wrapping_add(self.records_committed), len) {
                return false;
            }
            self.records_committed = records;
        }
        if end > self.committed {
            let step = (self.carved / 8).clamp(COMMIT_MIN, COMMIT_MAX);
            let generous = (end.max(self.committed + step)).min(self.total);
            // Under a commit limit the generous step may be refused where the exact one is not.
            let Some(to) = [generous, end].into_iter().find(|to| {
                let start = self.address(self.committed);
                Self::commit_range(start, (to - self.committed) * SLICE)
            }) else {
                return false;
            };
            self.committed = to;
        }
        true
    }

    fn commit_range(start: *mut u8, len: usize) -> bool {
        // SAFETY: both callers pass parts of the region's own reservation.
        NonNull::new(start).is_some_and(|start| unsafe { memory::commit(start, len) })
    }

    /// Makes a span in use; it must not look free to a neighbour from here on, so until its user
    /// says otherwise it is the engine's own.
    fn describe_used(&self, start: usize, slices: usize) -> &'static Slab {
        let span = self.record(start);
        span.set_span(self.address(start), slices);
        span.become_plain(Kind::Records);
        self.heads().set(start);
        span
    }

    fn describe_free(&mut self, start: usize, slices: usize, stamp: u32, dirty: bool) {
        let span = self.describe_used(start, slices);
        span.become_plain(Kind::Free);
        span.stamp.set(stamp);
        span.dirty.set(dirty);
        self.bins.insert(span);
    }

    /// Takes a span back and joins it with free neighbours.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn free(&mut self, span: &Slab, now: u32) {
        let (mut start, mut slices) = (self.slice_of(span), span.slices());
        let (mut stamp, mut dirty) = (now, span.dirty.get());
        span.become_plain(Kind::Free);
        let after = start + slices;
        if after < self.carved {
            let right = self.record(after);
            if right.kind() == Kind::Free && !self.bins.is_seam(right.start()) {
                self.join(right, after, &mut stamp, &mut dirty);
                slices += right.slices();
            }
        }
        let before = if start > self.first { self.heads().previous_set(start - 1) } else { None };
        if let Some(before) = before.filter(|before| *before >= self.first) {
            let left = self.record(before);
            if left.kind() == Kind::Free && !self.bins.is_seam(self.address(start)) {
                self.join(left, start, &mut stamp, &mut dirty);
                start = before;
                slices += left.slices();
            }
        }
        self.describe_free(start, slices, stamp, dirty);
    }

    /// Takes `neighbour` out of its bin, and the head bit at `seam` away. The joined span is due
    /// for purging when the older dirty part is.
    fn join(&mut self, neighbour: &Slab, seam: usize, stamp: &mut u32, dirty: &mut bool) {
        self.bins.remove(neighbour);
        self.heads().clear(seam);
        if neighbour.dirty.get() {
            *stamp = neighbour.stamp.get();
            *dirty = true;
        }
    }

    pub(super) fn extend(&mut self, span: &Slab, slices: usize) -> bool {
        let (start, len) = (self.slice_of(span), span.slices());
        let after = start + len;
        let more = slices - len;
        if after == self.carved {
            if after + more > self.total || !self.commit(after + more) {
                return false;
            }
            self.carved = after + more;
        } else {
            let right = self.record(after);
            if right.kind() != Kind::Free || right.slices() < more {
                return false;
            }
            self.bins.remove(right);
            self.heads().clear(after);
            let rest = right.slices() - more;
            if rest > 0 {
                self.describe_free(after + more, rest, right.stamp.get(), right.dirty.get());
            }
        }
        span.set_span(span.start(), slices);
        true
    }

    /// Cuts `span` down to `slices`; the rest becomes a used span of its own, to be freed.
    pub(super) fn split(&mut self, span: &Slab, slices: usize) -> &'static Slab {
        let (start, len) = (self.slice_of(span), span.slices());
        let rest = self.describe_used(start + slices, len - slices);
        span.set_span(span.start(), slices);
        rest
    }

    // --- Dirty slices ---

    /// Records that the first `len` bytes of the span may hold anything.
    pub(super) fn mark_dirty(&self, span: &Slab, len: usize) {
        let start = self.slice_of(span);
        let touched = div_ceil(len, SLICE).min(span.slices());
        self.dirty().fill(start, start + touched, true);
        span.dirty.set(self.is_dirty(start, span.slices()));
    }

    /// Records that the whole span reads as zero.
    pub(super) fn mark_clean(&self, span: &Slab) {
        let start = self.slice_of(span);
        self.dirty().fill(start, start + span.slices(), false);
        span.dirty.set(false);
    }

    fn is_dirty(&self, start: usize, slices: usize) -> bool {
        self.dirty().next(start, start + slices, true) < start + slices
    }

    pub(super) fn is_clean(&self, span: &Slab) -> bool {
        !self.is_dirty(self.slice_of(span), span.slices())
    }

    /// Visits the runs of the span that may hold anything but zeros: address and length.
    pub(super) fn for_each_dirty(&self, span: &Slab, mut visit: impl FnMut(*mut u8, usize)) {
        let mut from = 0;
        while let Some((slice, len)) = self.next_dirty(span, from) {
            visit(self.address(self.slice_of(span) + slice), len * SLICE);
            from = slice + len;
        }
    }

    /// The first such run from one of the span's slices on: slice and length in slices.
    pub(super) fn next_dirty(&self, span: &Slab, from: usize) -> Option<(usize, usize)> {
        let (start, dirty) = (self.slice_of(span), self.dirty());
        let end = start + span.slices();
        let first = dirty.next(start + from, end, true);
        let len = dirty.next(first, end, false) - first;
        (first < end).then_some((first - start, len))
    }

    /// Purges a free span. Returns the bytes given back.
    pub(super) fn purge(&self, span: &Slab) -> usize {
        let mut purged = 0;
        self.for_each_dirty(span, |start, len| {
            // SAFETY: the span is free and committed.
            let done =
                NonNull::new(start).is_some_and(|start| unsafe { memory::purge(start, len) });
            if done {
                let slice = (start as usize - self.base as usize) / SLICE;
                self.dirty().fill(slice, slice + len / SLICE, false);
                purged += len;
            }
        });
        span.dirty.set(false);
        purged
    }

    /// Whether nothing of the region is in use.
    pub(super) fn is_unused(&self) -> bool {
        if self.carved == self.first {
            return true;
        }
        let only = self.record(self.first);
        only.kind() == Kind::Free && only.slices() == self.carved - self.first
    }

    /// Visits every span, in address order.
    pub(super) fn for_each_span(&self, mut visit: impl FnMut(&Slab)) {
        let mut slice = self.first;
        while slice < self.carved {
            let span = self.record(slice);
            visit(span);
            slice += span.slices().max(1);
        }
    }

    /// Gives the never-used addresses back, but for `keep` slices, so that they no longer count
    /// against a limit on the address space; and with them those of their records and bits. What
    /// falls free may be anybody's afterwards, so a trimmed region is never closed.
    pub(super) fn trim(&mut self, keep: usize) {
        let (old, end) = (self.total, (self.carved.max(self.committed) + keep).min(self.total));
        let bitmaps = records_len(old);
        let unused = [
            (end * SLICE, old * SLICE),
            (self.records_committed.max(records_len(end)), bitmaps),
            (bitmaps + bitmap_len(end), bitmaps + bitmap_len(old)),
            (bitmaps + bitmap_len(old) + bitmap_len(end), bitmaps + 2 * bitmap_len(old)),
        ];
        for (from, to) in unused.into_iter().filter(|(from, to)| from < to) {
            if let Some(start) = NonNull::new(self.base.wrapping_add(from)) {
                // SAFETY: whole pages of the reservation that no slice below `end` needs.
                unsafe { memory::release(start, to - from) };
            }
        }
        self.total = end;
    }

    /// Checks that the directory agrees with itself; the number of contradictions.
    pub(super) fn check(&self) -> usize {
        let mut errors = 0;
        let mut previous_free = false;
        let mut free_spans = 0usize;
        self.for_each_span(|span| {
            let slice = self.slice_of(span);
            let free = span.kind() == Kind::Free;
            free_spans += usize::from(free);
            errors += usize::from(span.slices() == 0);
            errors += usize::from(!self.heads().is_set(slice));
            let is_seam = self.bins.is_seam(span.start());
            errors += usize::from(free && previous_free && !is_seam);
            let next = self.heads().next(slice + 1, self.carved, true);
            errors += usize::from(next != slice + span.slices());
            previous_free = free;
        });
        let mut binned = 0usize;
        self.bins.for_each(|span| {
            binned += 1;
            errors += usize::from(span.kind() != Kind::Free);
        });
        errors + usize::from(binned != free_spans)
    }
}
