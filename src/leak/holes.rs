//! Where blocks cannot be read: a program may protect pages in the middle of a block, as it does
//! below a stack that it has allocated.

use super::mark::read;
use super::marks::Marks;
use super::scratch::NoMemory;

/// Holes: from, to, ascending.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holes<'a>(pub(super) &'a [(usize, usize)]);

impl Holes<'_> {
    /// Whether a word cannot be read.
    #[inline(always)]
    pub(super) fn hold(self, address: usize) -> bool {
        if self.0.is_empty() {
            return false;
        }
        let at = self.0.partition_point(|hole| hole.1 <= address);
        self.0.get(at).is_some_and(|hole| hole.0 <= address)
    }
}

impl Marks {
    /// Keeps those holes that lie in blocks. Most of the heap that cannot be read is not in use.
    pub(super) fn note_holes(&mut self, holes: &[(usize, usize)]) -> Result<(), NoMemory> {
        for (start, end) in holes.iter().copied() {
            let is_hit = self.spans().iter().any(|span| {
                let (from, to) = (span.block(0), span.block(span.capacity));
                from < end && start < to
            });
            if is_hit {
                self.holes.push((start, end))?;
            }
        }
        Ok(())
    }

    #[inline(always)]
    pub(super) fn has_holes(&self) -> bool {
        !self.holes.is_empty()
    }

    /// The first part of `from..to` that can be read.
    pub(super) fn next_readable(&self, mut from: usize, to: usize) -> Option<(usize, usize)> {
        let first = self.holes.partition_point(|hole| hole.1 <= from);
        for hole in &self.holes[first..] {
            if from < hole.0 {
                break;
            }
            from = hole.1;
        }
        let next = self.holes.get(self.holes.partition_point(|hole| hole.1 <= from));
        let end = next.map_or(to, |hole| hole.0.min(to));
        (from < end).then_some((from, end))
    }

    /// A word of a block; zero where it cannot be read.
    ///
    /// # Safety
    /// The block is in use, and what cannot be read of it is among the holes.
    #[inline(always)]
    pub(super) unsafe fn word(&self, address: usize) -> usize {
        if Holes(&self.holes).hold(address) {
            return 0;
        }
        // SAFETY: the caller's.
        unsafe { read(address) }
    }
}
