//! The blocks in parts, for what is done for each block, and not by way of pointers: several
//! threads do it, each with one part after the other.
//!
//! How blocks are cut into parts depends on the blocks alone, and what is found out of each part is
//! put together in the order of the parts: so it is the same whoever has done it.

use super::spans::Span;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::os::crew;
use core::ops::Range;

/// Blocks are cut into so many parts at most.
pub(super) const PARTS: usize = 32;
/// A part has so many numbers at least, or what is left.
const LEAST: usize = if cfg!(test) { 1 << 6 } else { 1 << 14 };

/// A part: its spans, and their numbers.
#[derive(Clone, Debug)]
pub(super) struct Part {
    pub(super) spans: Range<usize>,
    pub(super) numbers: Range<usize>,
}

/// Parts; those behind the first [`Self::used`] are empty.
#[derive(Debug)]
pub(super) struct Parts {
    pub(super) all: [Part; PARTS],
    pub(super) used: usize,
}

impl Parts {
    /// Cuts spans, which have so many numbers, into parts of about as many each.
    pub(super) fn of(spans: &[Span], numbers: usize) -> Self {
        let share = numbers.div_ceil(PARTS).max(LEAST);
        let begin = |part: usize| spans.partition_point(|span| span.first < part * share);
        let number = |span: usize| spans.get(span).map_or(numbers, |span| span.first);
        let all = core::array::from_fn(|part| {
            let (from, to) = (begin(part), begin(part + 1));
            Part { spans: from..to, numbers: number(from)..number(to) }
        });
        Self { all, used: numbers.div_ceil(share) }
    }
}

/// Has `task` done for each part, for several at once where there are processors.
///
/// # Safety
/// The task bears being done for different parts at once, and is what [`crew::together`] wants.
pub(super) unsafe fn each<T>(parts: &mut [T], task: impl Fn(&mut T)) {
    let (start, len) = (parts.as_mut_ptr(), parts.len());
    let next = AtomicUsize::new(0);
    let work = || {
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= len {
                return;
            }
            // SAFETY: within the slice, and each number is drawn once.
            task(unsafe { &mut *start.add(at) });
        }
    };
    // SAFETY: the caller's.
    unsafe { crew::together(len, &work) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_is_done_once() {
        let mut parts: [usize; 100] = core::array::from_fn(|part| part);
        // SAFETY: the task changes its part alone.
        unsafe { each(&mut parts, |part| *part += 1000) };
        assert!(parts.into_iter().eq(1000..1100));
    }
}
