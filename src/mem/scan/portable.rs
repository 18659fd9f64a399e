//! A word at a time, without a branch on what it is.

use super::{BATCH, Batch, Range, WORD};
use core::ptr;

/// # Safety
/// As [`super::Scanner::scan`].
pub(super) unsafe fn scan(mut from: usize, to: usize, range: Range, batch: &mut Batch) -> usize {
    let mut count = 0;
    while from < to && count < BATCH {
        // SAFETY: the caller's: an aligned word that may be read. Volatile, because whoever owns
        // it may be writing it, and any answer is fair.
        let word = unsafe { ptr::with_exposed_provenance::<usize>(from).read_volatile() };
        batch.addresses[count] = from;
        count += usize::from(range.contains(word));
        from += WORD;
    }
    batch.count = count;
    from
}
