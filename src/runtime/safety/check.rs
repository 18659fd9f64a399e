//! Looking at all watched blocks at once: on demand, and at exit.

use super::report::{Finding, Moment, report};
use super::{QUARANTINE, overflow, sealed};
use crate::harden::pattern::{self, POISON};
use crate::heap::observe::Slot;
use crate::os::tasks;
use crate::runtime::ENGINE;

/// How many blocks in use have a damaged canary, and how many freed ones were written to; the
/// first of them is reported. No other thread may use the heap meanwhile.
pub(crate) fn check() -> usize {
    if !super::is_on() {
        return 0;
    }
    let (mut first, mut count) = (None, 0);
    ENGINE.for_each_block(|slot: Slot<'_>, block| {
        let found = sealed(slot).and_then(|it| overflow(slot, block, it, Moment::Check));
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
    if let Some(finding) = first {
        report(finding);
    }
    count
}

/// The same at the end of the process, if no other thread is left that could use the heap.
pub(crate) fn check_at_exit() {
    let mut threads = 0;
    let is_known = super::is_on() && tasks::for_each(|_| threads += 1);
    if is_known && threads == 1 {
        check();
    }
}
