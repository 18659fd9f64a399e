//! What is noted of a block beside its record: that the program knows of it and does not want to
//! hear of it, so that no search for leaks counts it; that it is watched.

use super::Tracker;
use super::columns::{Columns, Record, Stamp};
use super::record::NewBlock;
use super::stacks::ROOT;
use crate::harden::family::Family;
use crate::heap::local::LocalHeap;
use crate::heap::observe::{Freer, Slot};
use crate::unwind::Registers;

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

    /// Notes that a block is watched, and by which family it was allocated; the canary behind it is
    /// there.
    pub(crate) fn seal(&self, slot: Slot<'_>, family: Family) {
        if let Some(columns) = Columns::of(slot.slab) {
            columns.seal(slot.index, family);
        }
    }

    /// Records a block that is watched: [`Self::seal`] for one that is on no record yet.
    #[inline(always)]
    pub(crate) fn allocated_sealed(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        size: usize,
        (caller, family): (Registers, Family),
    ) {
        let block = NewBlock { size, caller, seal: Stamp::seal_of(family) };
        let plan = self
            .known_origin(heap, caller)
            .or_else(|seen| self.found_origin(heap, caller, seen))
            .and_then(|origin| self.plan(slot, size, origin));
        match plan {
            Ok(plan) => plan.record(slot.index, size, block.seal),
            Err(seen) => _ = self.record_new(heap, slot, block, seen),
        }
    }

    /// A block that was watched is free; whether it still was in use. Another thread may be freeing
    /// it at the same time.
    #[inline(always)]
    pub(crate) fn freed_sealed(&self, heap: &LocalHeap, slot: Slot<'_>) -> bool {
        self.end_plainly(heap, slot, Freer::Anyone)
            .unwrap_or_else(|| self.record_end(heap, slot, Freer::Anyone))
    }

    /// A block is watched no more: what lies behind it is about to be overwritten.
    #[inline(always)]
    pub(crate) fn unseal(&self, slot: Slot<'_>, record: Record) {
        if let Some(columns) = Columns::of(slot.slab) {
            columns.unseal(slot.index, record);
        }
    }

    /// Whether a block of a slab with columns is free by them.
    pub(crate) fn is_free(&self, slot: Slot<'_>) -> bool {
        Columns::of(slot.slab).is_some_and(|columns| columns.read(slot.index).is_none())
    }

    /// The call stack from `caller` outwards, of the thread of `heap`; zero if it cannot be had.
    /// The heap is in use by nobody else.
    #[inline(always)]
    pub(crate) fn stack_of(&self, heap: &LocalHeap, caller: Registers) -> u32 {
        let recorder = self.recorder(heap).filter(|_| self.mode.wants_stacks());
        let stack =
            recorder.and_then(|recorder| recorder.stack.capture(&self.rules, self.tree(), caller));
        stack.unwrap_or(ROOT)
    }
}
