//! Which part of the stack is known to be readable.
//!
//! A walk reads only where its rules lead, and rules may be wrong: hand-written assembly, a damaged
//! stack, code that is not what its module's tables describe. So every word is read from a window
//! of addresses that the kernel has vouched for, asked page by page as walks come there. A stack is
//! asked about once; afterwards a step costs one comparison.
//!
//! The window is that of the stack a thread runs on, whose pages stay as long as it does.

use super::rule::REACH;
use crate::os::memory::{self, PAGE};

/// The window `low..high`, in whole pages; empty at first.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    low: usize,
    high: usize,
    /// How many addresses from `low + REACH` on a CFA may have: none, or all up to `high`.
    admitted: usize,
}

/// Pages between two frames that are asked for one by one. Over a larger gap the window moves.
const GAP_MAX: usize = 64;

impl Bounds {
    pub(super) const EMPTY: Self = Self::of(0, 0);

    const fn of(low: usize, high: usize) -> Self {
        Self { low, high, admitted: (high - low + 1).saturating_sub(REACH) }
    }

    /// Sees to a window around the place where a walk starts, or goes on on another stack. Whether
    /// the word at `sp` can be read.
    #[inline(always)]
    pub(super) fn enter(&mut self, sp: usize) -> bool {
        self.is_known(sp) || self.enter_new(sp)
    }

    /// Whether the word at `sp` is in the window.
    #[inline(always)]
    pub(super) fn is_known(&self, sp: usize) -> bool {
        let is_inside = sp.wrapping_sub(self.low) < self.high.wrapping_sub(self.low);
        is_inside && sp.is_multiple_of(size_of::<usize>())
    }

    #[cold]
    #[inline(never)]
    fn enter_new(&mut self, sp: usize) -> bool {
        if !sp.is_multiple_of(size_of::<usize>()) {
            return false;
        }
        let page = sp & !(PAGE - 1);
        if page == 0 || !memory::is_readable(page) {
            *self = Self::EMPTY;
            return false;
        }
        let below = page - PAGE;
        let low = if memory::is_readable(below) { below } else { page };
        *self = Self::of(low, page + PAGE);
        true
    }

    /// Whether a step from a frame at `sp` to its caller at `cfa` may read the words it needs:
    /// the one below `cfa` and the one at `lowest`, not more than [`REACH`] below.
    #[inline(always)]
    pub(super) fn admit(&mut self, sp: usize, cfa: usize, lowest: usize) -> bool {
        // The stack grows downwards, and an empty window has no `cfa`.
        if cfa <= sp || !cfa.is_multiple_of(size_of::<usize>()) {
            return false;
        }
        self.has(sp, cfa) || self.ask(cfa, lowest)
    }

    /// As [`Self::admit`], of a step within the window.
    #[inline(always)]
    pub(super) fn has(&self, sp: usize, cfa: usize) -> bool {
        // One comparison for both ends.
        let above = cfa.wrapping_sub(self.low.wrapping_add(REACH));
        cfa > sp && cfa.is_multiple_of(size_of::<usize>()) && above < self.admitted
    }

    /// Whether one word may be read.
    #[inline(always)]
    pub(super) fn admit_word(&mut self, address: usize) -> bool {
        let is_known = address >= self.low && address.wrapping_add(8) <= self.high;
        address.is_multiple_of(size_of::<usize>()) && (is_known || memory::is_readable(address))
    }

    #[cold]
    #[inline(never)]
    fn ask(&mut self, cfa: usize, lowest: usize) -> bool {
        if cfa < PAGE {
            return false;
        }
        let last = (cfa - size_of::<usize>()) & !(PAGE - 1);
        if cfa - REACH >= self.low && last.wrapping_sub(self.high) / PAGE < GAP_MAX {
            while self.high <= last && memory::is_readable(self.high) {
                *self = Self::of(self.low, self.high + PAGE);
            }
            if self.high > last {
                return true;
            }
        }
        if !memory::is_readable(last) || !memory::is_readable(lowest) {
            return false;
        }
        // Start anew here. A frame at the very bottom of its stack has less than REACH below it:
        // the window stays as it is, and the next step asks again.
        let first = (cfa - REACH) & !(PAGE - 1);
        if memory::is_readable(first) {
            *self = Self::of(first, last + PAGE);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_own_stack_is_admitted_and_unmapped_memory_is_not() {
        let word = 0usize;
        let here = &raw const word as usize & !7;
        let mut bounds = Bounds::EMPTY;
        bounds.enter(here);
        assert!(bounds.admit(here, here + 64, here + 56));
        assert!(!bounds.admit(here + 64, here, here - 8), "downwards");
        assert!(!bounds.admit(here, here + 63, here + 55), "unaligned");
        assert!(!bounds.admit(here, 1 << 46, (1 << 46) - 8), "far and unmapped");
        assert!(!bounds.admit(here, usize::MAX & !7, here));
        assert!(!bounds.admit(0, 64, 56), "the null page");
        assert!(bounds.admit(here, here + 64, here + 56), "again");
    }
}
