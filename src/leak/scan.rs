//! The marker's ways through memory that are not the usual one: around what cannot be read, and
//! byte by byte.

use super::elsewhere::Elsewhere;
use super::mark::Marker;
use super::scratch::NoMemory;
use crate::mem::scan::{Batch, WORD};
use core::ptr;

impl<E: Elsewhere> Marker<'_, E> {
    /// # Safety
    /// `from..to` are whole words of the heap, and what cannot be read of them is among the holes.
    #[cold]
    pub(super) unsafe fn scan_around_holes(
        &mut self,
        mut from: usize,
        to: usize,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        while let Some((start, end)) = self.marks.next_readable(from, to) {
            // SAFETY: the caller's: there is no hole in between. Holes are whole pages.
            unsafe { self.scan(start, end, batch)? };
            from = end;
        }
        Ok(())
    }

    /// # Safety
    /// As [`Self::scan`].
    pub(super) unsafe fn scan_bytewise(&mut self, from: usize, to: usize) -> Result<(), NoMemory> {
        for address in from..(to + 1).saturating_sub(WORD) {
            // SAFETY: the caller's: the bytes can be read.
            let word = unsafe { ptr::with_exposed_provenance::<usize>(address).read_unaligned() };
            if self.range.contains(word) {
                self.consider(address & !(WORD - 1), word)?;
            }
        }
        Ok(())
    }
}
