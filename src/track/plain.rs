//! The short way of a block's record: what nearly always happens, when a program does what it did
//! before.
//!
//! The block is small, of its own thread, from the call stack that the thread allocated from last;
//! no counter is full, nothing is a peak. All that is asked first, and nothing is written before it
//! is known: so there is no call in here, and who calls needs no room to save registers in.
//! Whatever is otherwise takes the long way ([`super::record`]), which does the same in general.

use super::Tracker;
use super::cells;
use super::columns::{Columns, Record};
use super::event::{TEMPORARY, life_of};
use super::record::NewBlock;
use super::recorder::{Recorder, UNKNOWN_STACK};
use crate::format::layout::Cell;
use crate::heap::local::LocalHeap;
use crate::heap::observe::{Seen, Slot};
use crate::unwind::Limit;
use core::ptr::NonNull;

impl Seen {
    /// Nothing was found out.
    pub(super) const NOTHING: Self = Self::limit(Limit::NONE);
    /// Above the number of a stack.
    const IS_STACK: u64 = 1 << 32;

    /// The number of the stack.
    #[inline(always)]
    const fn stack(number: u32) -> Self {
        Self(Self::IS_STACK | number as u64)
    }

    /// It is another one, and how much of it may be the last one's.
    #[inline(always)]
    const fn limit(limit: Limit) -> Self {
        Self(limit.number() as u64)
    }

    /// The number of the stack, if it was found.
    #[inline(always)]
    pub(super) const fn found(self) -> Result<u32, Limit> {
        if self.0 & Self::IS_STACK != 0 {
            Ok(self.0 as u32)
        } else {
            Err(Limit::from_number(self.0 as u32))
        }
    }
}

/// Where the record of a new block is: its columns, and the counters of its thread and site. They stay where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    recorder: NonNull<Recorder>,
    columns: NonNull<Columns>,
    cell: NonNull<Cell>,
}

impl Tracker {
    /// How to record a block that is about to be handed out, if nothing about it is special.
    #[inline(always)]
    pub(super) fn plan(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        NewBlock { size, caller, .. }: NewBlock,
    ) -> Result<Plan, Seen> {
        let Some(recorder) = super::recorder_of(heap) else { return Err(Seen::NOTHING) };
        let stack = if self.mode.wants_stacks() {
            recorder.stack.known(&self.rules, caller).map_err(Seen::limit)?
        } else {
            UNKNOWN_STACK
        };
        let seen = Seen::stack(stack);
        let columns = Columns::of(slot.slab).filter(|columns| columns.is_plain()).ok_or(seen)?;
        let cell = recorder.known_cell_of(stack).ok_or(seen)?;
        let is_plain = cells::is_plain_allocation(cell, size, recorder.peak_epoch())
            && recorder.slack.is_plain_allocation(size as u64);
        let plan = Plan { recorder: recorder.into(), columns: columns.into(), cell: cell.into() };
        is_plain.then_some(plan).ok_or(seen)
    }

    /// Records the end of a block; `false`: nothing was done.
    #[inline(always)]
    pub(super) fn end_plainly(&self, heap: &LocalHeap, slot: Slot<'_>) -> bool {
        let Some(recorder) = super::recorder_of(heap) else { return false };
        let Some(columns) = Columns::of(slot.slab).filter(|columns| columns.is_plain()) else {
            return false;
        };
        let Some(record) = columns.read_plain(slot.index) else { return false };
        if !recorder.is_own(record) {
            return false;
        }
        let Some(cell) = recorder.cell(record.site) else { return false };
        let is_temporary = recorder.last() == columns.identity(slot.index);
        let life = if is_temporary { TEMPORARY } else { life_of(recorder.age(record)) };
        if !cells::is_plain_free(cell, life, recorder.peak_epoch())
            || !recorder.slack.is_plain_free(record.size as u64)
        {
            return false;
        }
        columns.clear(slot.index);
        recorder.count_free(columns, record.size, is_temporary);
        cells::count_free(cell, record.size, life);
        recorder.slack.free_plainly(record.size as u64);
        true
    }
}

impl Plan {
    /// Records the block.
    #[inline(always)]
    pub(super) fn record(self, index: u32, size: usize) {
        // SAFETY: recorders and cells live for ever, and the columns as long as the slab, of which
        // this is a block.
        let (recorder, columns, cell) =
            unsafe { (self.recorder.as_ref(), self.columns.as_ref(), self.cell.as_ref()) };
        let (site, stamp) = (recorder.last_site(), recorder.known_stamp());
        columns.write::<true>(index, Record { site, size, stamp });
        recorder.count_allocation(columns, index, size);
        cells::count_allocation(cell, size, recorder.clock());
        recorder.slack.allocate_plainly(size as u64);
    }
}
