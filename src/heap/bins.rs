//! Free spans by length, so that a fitting one is found in constant time.
//!
//! Lengths up to 31 slices have a bin each; above, four bins a doubling (the two-level scheme of
//! Masmano et al., "TLSF", 2004). Bins are stacks: what was freed last is reused first, while its
//! pages are warm.

use super::slab::Slab;
use core::ptr;

const EXACT: usize = 32;
const EXACT_LOG: usize = 5;
const BINS: usize = 128;
/// How many spans of the boundary bin are tried before a larger bin is cut.
const TRIES: usize = 16;

/// The bins of one region. Guarded by the lock of the [`super::space::Space`].
#[derive(Debug)]
pub(super) struct Bins {
    first: [*const Slab; BINS],
    occupied: u128,
}

const fn bin_of(slices: usize) -> usize {
    if slices < EXACT {
        slices
    } else {
        let log = slices.ilog2() as usize;
        let bin = EXACT + (log - EXACT_LOG) * 4 + (slices >> (log - 2) & 3);
        if bin < BINS { bin } else { BINS - 1 }
    }
}

impl Bins {
    pub(super) const fn new() -> Self {
        Self { first: [ptr::null(); BINS], occupied: 0 }
    }

    pub(super) fn insert(&mut self, span: &Slab) {
        let bin = bin_of(span.slices());
        let old = self.first[bin];
        span.prev.set(ptr::null());
        span.next.set(old);
        // SAFETY: records of binned spans stay mapped, and the lock makes us the only editor.
        if let Some(old) = unsafe { old.as_ref() } {
            old.prev.set(span);
        }
        self.first[bin] = span;
        self.occupied |= 1 << bin;
    }

    pub(super) fn remove(&mut self, span: &Slab) {
        let bin = bin_of(span.slices());
        let (prev, next) = (span.prev.get(), span.next.get());
        // SAFETY: as in `insert`.
        match unsafe { prev.as_ref() } {
            Some(prev) => prev.next.set(next),
            None => self.first[bin] = next,
        }
        // SAFETY: as in `insert`.
        if let Some(next) = unsafe { next.as_ref() } {
            next.prev.set(prev);
        }
        if self.first[bin].is_null() {
            self.occupied &= !(1 << bin);
        }
    }

    /// Takes out a span of at least `slices`.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn take(&mut self, slices: usize) -> Option<&'static Slab> {
        let bin = bin_of(slices);
        if let Some(span) = self.search(bin, slices) {
            self.remove(span);
            return Some(span);
        }
        // Every span of a higher bin is longer than any of this bin.
        let higher = self.occupied & (u128::MAX << bin) << 1;
        if higher == 0 {
            return None;
        }
        // SAFETY: as in `insert`; an occupied bin is not empty.
        let span = unsafe { self.first[higher.trailing_zeros() as usize].as_ref() }?;
        self.remove(span);
        Some(span)
    }

    fn search(&self, bin: usize, slices: usize) -> Option<&'static Slab> {
        let mut cursor = self.first[bin];
        for _ in 0..TRIES {
            // SAFETY: as in `insert`.
            let span = unsafe { cursor.as_ref() }?;
            if span.slices() >= slices {
                return Some(span);
            }
            cursor = span.next.get();
        }
        None
    }

    /// Visits every free span. The visit must not insert or remove.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Slab)) {
        let mut rest = self.occupied;
        while rest != 0 {
            let mut cursor = self.first[rest.trailing_zeros() as usize];
            // SAFETY: as in `insert`.
            while let Some(span) = unsafe { cursor.as_ref() } {
                visit(span);
                cursor = span.next.get();
            }
            rest &= rest - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longer_spans_never_have_lower_bins() {
        for slices in 1..1 << 18 {
            assert!(bin_of(slices) <= bin_of(slices + 1));
            assert!(bin_of(slices) < BINS);
        }
    }
}
