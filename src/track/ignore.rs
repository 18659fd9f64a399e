//! Blocks that the program knows of and does not want to hear of: no search for leaks counts them.

use super::Tracker;
use super::columns::Columns;
use crate::heap::local::LocalHeap;
use crate::heap::observe::Slot;

impl Tracker {
    /// Whether what the thread of `heap` allocates from now on is to be ignored.
    pub(crate) fn set_ignoring(&self, heap: &LocalHeap, is_ignoring: bool) {
        if let Some(recorder) = self.recorder(heap) {
            recorder.set_ignoring(is_ignoring);
        }
    }

    /// Has searches for leaks ignore a block.
    pub(crate) fn ignore(&self, slot: Slot<'_>) {
        if let Some(columns) = Columns::of(slot.slab) {
            columns.ignore(slot.index);
        }
    }
}
