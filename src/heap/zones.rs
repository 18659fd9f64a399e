//! Free spans of a region: those that served before tracking began, and the others.
//!
//! What a program did before is not known, and its traces cannot be cleared: addresses of blocks
//! that it has freed lie about in stacks and registers. A tracked block at such an address would
//! look reachable for as long. So tracked blocks come from memory that was not in use before, and
//! what was is for everything else: tracked blocks get it only when the system has no more.

use super::bins::Bins;
use super::observe::Wanted;
use super::slab::Slab;
use core::ptr;

/// What a span is wanted for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Blocks that are all observed.
    Tracked,
    /// Anything else.
    Any,
}

impl Purpose {
    pub(super) fn of(wanted: Wanted) -> Self {
        match wanted {
            Wanted::All => Self::Tracked,
            Wanted::None | Wanted::Samples => Self::Any,
        }
    }
}

/// The free spans. Guarded by the lock of the [`super::space::Space`].
#[derive(Debug)]
pub(super) struct Zones {
    /// One past the last byte in use when tracking began; null: it has not begun.
    seam: *const u8,
    before: Bins,
    since: Bins,
}

impl Zones {
    pub(super) const fn new() -> Self {
        Self { seam: ptr::null(), before: Bins::new(), since: Bins::new() }
    }

    /// Tracking begins: nothing at or above `seam` was ever in use. Only the first call counts.
    pub(super) fn part(&mut self, seam: *const u8) {
        if self.seam.is_null() {
            self.seam = seam;
            core::mem::swap(&mut self.before, &mut self.since);
        }
    }

    /// Whether spans that meet at `address` are to stay two.
    pub(super) fn is_seam(&self, address: *const u8) -> bool {
        address == self.seam
    }

    pub(super) fn insert(&mut self, span: &Slab) {
        self.zone_of(span).insert(span);
    }

    pub(super) fn remove(&mut self, span: &Slab) {
        self.zone_of(span).remove(span);
    }

    /// Takes out a span of at least `slices`.
    pub(super) fn take(&mut self, slices: usize, purpose: Purpose) -> Option<&'static Slab> {
        let before = match purpose {
            Purpose::Tracked => None,
            Purpose::Any => self.before.take(slices),
        };
        before.or_else(|| self.since.take(slices))
    }

    /// Visits every free span. The visit must not insert or remove.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Slab)) {
        self.before.for_each(&mut visit);
        self.since.for_each(visit);
    }

    fn zone_of(&mut self, span: &Slab) -> &mut Bins {
        if span.start().cast_const() < self.seam { &mut self.before } else { &mut self.since }
    }
}
