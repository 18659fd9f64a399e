//! Memory outside of the heap that matters to the marker.

use crate::mem::scan::Range;

/// Memory outside of the heap that matters only once something that matters points into it:
/// stacks of coroutines, arenas of the program's own.
pub(crate) trait Elsewhere {
    /// All of it lies between these two, if there is any.
    fn bounds(&self) -> Option<(usize, usize)>;

    /// Whether [`Self::find`] would find a piece.
    fn holds(&self, address: usize) -> bool;

    /// The piece that holds `address`, the first time it is asked for: from, to. Whole words that
    /// can be read.
    fn find(&mut self, address: usize) -> Option<(usize, usize)>;

    /// A range that holds all of it, and another one.
    fn with_bounds(&self, range: Range) -> Range {
        let Some((low, end)) = self.bounds() else { return range };
        if range.len == 0 {
            return Range::between(low, end);
        }
        Range::between(range.low.min(low), (range.low + range.len).max(end))
    }

    /// Where the heap cannot be read: from, to, ascending.
    fn holes(&self) -> &[(usize, usize)] {
        &[]
    }
}

/// No such memory.
impl Elsewhere for () {
    fn bounds(&self) -> Option<(usize, usize)> {
        None
    }

    fn holds(&self, _: usize) -> bool {
        false
    }

    fn find(&mut self, _: usize) -> Option<(usize, usize)> {
        None
    }
}
