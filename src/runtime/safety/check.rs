//! Looking at all watched blocks at once: on demand, and at exit.

use super::QUARANTINE;
use super::finding::{Finding, Known, Moment};
use super::report::report;
use super::watch::{overflow, sealed, underflow};
use crate::harden::pattern::{self, POISON};
use crate::heap::observe::Slot;
use crate::os::tasks;
use crate::runtime::ENGINE;

/// How many blocks in use have a damaged canary, and how many freed ones were written to; the
/// first of them is reported. No other thread may use the heap meanwhile.
pub(crate) fn check() -> usize {
    let (first, count) = look();
    if let Some(finding) = first {
        report(&finding);
    }
    count
}

/// The first damaged block, and how many there are.
pub(super) fn look() -> (Option<Finding>, usize) {
    let (mut first, mut count) = (None, 0);
    if !super::is_any() {
        return (None, 0);
    }
    ENGINE.for_each_block(|slot: Slot<'_>, _| {
        let Some(block) = sealed(slot).map(|record| Known::of(slot, record)) else { return };
        let found = overflow(slot, block, Moment::Check)
            .or_else(|| underflow(slot, block, Moment::Check).filter(is_before));
        count += usize::from(found.is_some());
        first = first.take().or(found);
    });
    QUARANTINE.for_each(|grave| {
        // SAFETY: the memory of a block in quarantine is ours.
        if let Some(damage) = unsafe { pattern::difference(grave.start, grave.len, POISON) } {
            count += 1;
            first = first.take().or(Some(Finding::Buried { grave: *grave, damage }));
        }
    });
    (first, count)
}

/// What belongs to the block itself: an overflow of the one before is found with that.
const fn is_before(finding: &Finding) -> bool {
    matches!(finding, Finding::Underflow { .. })
}

/// The same at the end of the process, if no other thread is left that could use the heap.
pub(crate) fn check_at_exit() {
    if super::is_any() && tasks::count() == Some(1) {
        check();
    }
}
