//! What a block's birth, resizing and end do to the records: its column, then the counters.
//!
//! Nearly every block is *plain*: small, and standing for itself alone. Functions with a generic
//! parameter `PLAIN` are compiled once for these and once for the others, large blocks and samples,
//! which are served out of line.

use super::cells::SiteCounters;
use super::columns::{Columns, Record, Stamp};
use super::event::Event;
use super::plain::UNKNOWN_STACK;
use super::recorder::Recorder;
use super::{SiteId, Tracker, mode};
use crate::heap::local::LocalHeap;
use crate::heap::observe::{Freer, Seen, Slot};
use crate::unwind::{Limit, Registers};

/// In place of the number of a thread, in the stamp of a block: its allocation was not counted, so
/// its end is not either.
const UNCOUNTED: u32 = (1 << 20) - 1;
const _: () = assert!(Stamp::new(UNCOUNTED, 0).thread() == UNCOUNTED, "a stamp holds it");

/// A block as it was asked for.
#[derive(Clone, Copy, Debug)]
pub(super) struct NewBlock {
    pub(super) size: usize,
    pub(super) caller: Registers,
    /// [`Stamp::seal_of`], if it is watched.
    pub(super) seal: Stamp,
}

/// Where a block's record is.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    columns: &'a Columns,
    index: u32,
}

impl Tracker {
    /// Records a block; whether there was room.
    #[inline(always)]
    pub(super) fn record_new(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        block: NewBlock,
        seen: Seen,
    ) -> bool {
        match Columns::of(slot.slab) {
            Some(columns) if columns.is_plain() => {
                self.write::<true>(heap, columns, slot.index, block, seen);
            }
            Some(columns) => self.write_special(heap, columns, slot.index, block),
            None => {
                self.unseen();
                return false;
            }
        }
        true
    }

    /// Records that a block is no longer in use; whether it was.
    #[inline(always)]
    pub(super) fn record_end(&self, heap: &LocalHeap, slot: Slot<'_>, from: Freer) -> bool {
        let Some(columns) = Columns::of(slot.slab) else { return true };
        if !columns.is_plain() {
            return self.end_special(heap, columns, slot.index, from);
        }
        let Some(record) = columns.take::<true>(slot.index, from) else { return false };
        self.count_end::<true>(heap, columns, slot.index, record);
        true
    }

    /// Records that a block has another size: it counts as the end of one and the birth of another.
    pub(super) fn record_resize(&self, heap: &LocalHeap, slot: Slot<'_>, block: NewBlock) {
        let Some(columns) = Columns::of(slot.slab) else { return };
        let old = columns.read(slot.index);
        let last = self.recorder(heap).map_or(0, Recorder::last);
        // The new block is counted first: a block that stays in place never looks freed.
        self.record_new(heap, slot, block, Seen::NOTHING);
        let Some(recorder) = self.recorder(heap) else { return };
        if let Some(old) = old {
            let new = recorder.replace_last(last);
            self.count_end::<false>(heap, columns, slot.index, old);
            recorder.replace_last(new);
        }
        self.count_resize(heap, slot);
    }

    /// Counts a block that was resized, wherever it is now.
    pub(super) fn count_resize(&self, heap: &LocalHeap, slot: Slot<'_>) {
        let record = self.record_of(slot);
        if let (Some(recorder), Some(record)) = (self.recorder(heap), record) {
            recorder.resized(&self.ledger, record.site);
        }
    }

    /// The call stack that a block is from, and its site; `seen` is what the short way has found
    /// out.
    #[inline(always)]
    fn origin(&self, recorder: &Recorder, caller: Registers, seen: Seen) -> (u32, SiteId) {
        const UNKNOWN: (u32, SiteId) = (UNKNOWN_STACK, SiteId::UNKNOWN);
        if !self.mode.wants_stacks() {
            return UNKNOWN;
        }
        let (tree, rules) = (self.tree(), &self.rules);
        let stack = match seen.found() {
            Ok(stack) if stack != UNKNOWN_STACK => Some(stack),
            Ok(_) => recorder.stack.capture_after(rules, tree, caller, Limit::NONE),
            Err(limit) => recorder.stack.capture_after(rules, tree, caller, limit),
        };
        let Some(stack) = stack else { return UNKNOWN };
        match tree.site(stack) {
            Some(site) => (stack, site),
            None => UNKNOWN,
        }
    }

    #[inline(always)]
    fn write<const PLAIN: bool>(
        &self,
        heap: &LocalHeap,
        columns: &Columns,
        index: u32,
        block: NewBlock,
        seen: Seen,
    ) {
        let Some(recorder) = self.recorder(heap) else {
            return self.write_uncounted(columns, index, block);
        };
        let (stack, site) = self.origin(recorder, block.caller, seen);
        match recorder.counters(&self.ledger, site) {
            Some(counters) => {
                let record = self.stamped(heap, recorder, site, block);
                recorder.remember_site(stack, site, counters.cell());
                self.count_new::<PLAIN>(recorder, Place { columns, index }, record, Some(counters));
            }
            None => self.write_crowded(heap, recorder, Place { columns, index }, block),
        }
    }

    /// There is no room for the counters of a block's site: it counts for the unknown one.
    #[cold]
    #[inline(never)]
    fn write_crowded(&self, heap: &LocalHeap, recorder: &Recorder, at: Place<'_>, block: NewBlock) {
        let record = self.stamped(heap, recorder, SiteId::UNKNOWN, block);
        let counters = recorder.counters(&self.ledger, SiteId::UNKNOWN);
        self.count_new::<false>(recorder, at, record, counters);
    }

    #[inline(always)]
    fn stamped(
        &self,
        heap: &LocalHeap,
        recorder: &Recorder,
        site: SiteId,
        block: NewBlock,
    ) -> Record {
        let stamp = recorder.stamp(&self.ledger, heap.thread()).sealed(block.seal);
        Record { site, size: block.size, stamp }
    }

    #[inline(always)]
    fn count_new<const PLAIN: bool>(
        &self,
        recorder: &Recorder,
        Place { columns, index }: Place<'_>,
        record: Record,
        counters: Option<SiteCounters<'_>>,
    ) {
        columns.write::<PLAIN>(index, record);
        let event = Event::of::<PLAIN>(columns, index, record);
        recorder.allocated(&self.ledger, &event, counters);
        if !PLAIN
            && columns.is_sampled()
            && let Some(counters) = counters
        {
            counters.sampled(event.size, columns.weight());
        }
    }

    #[cold]
    #[inline(never)]
    fn write_special(&self, heap: &LocalHeap, columns: &Columns, index: u32, block: NewBlock) {
        self.write::<false>(heap, columns, index, block, Seen::NOTHING);
    }

    /// Without a place for counters the block is on record all the same: one that is not would
    /// look freed when it is freed.
    #[cold]
    #[inline(never)]
    fn write_uncounted(&self, columns: &Columns, index: u32, block: NewBlock) {
        self.unseen();
        let stamp = Stamp::new(UNCOUNTED, 0).sealed(block.seal);
        columns.write::<false>(index, Record { site: SiteId::UNKNOWN, size: block.size, stamp });
    }

    #[cold]
    #[inline(never)]
    fn end_special(&self, heap: &LocalHeap, columns: &Columns, index: u32, from: Freer) -> bool {
        let Some(record) = columns.take::<false>(index, from) else { return false };
        self.count_end::<false>(heap, columns, index, record);
        true
    }

    #[inline(always)]
    fn count_end<const PLAIN: bool>(
        &self,
        heap: &LocalHeap,
        columns: &Columns,
        index: u32,
        record: Record,
    ) {
        let Some(recorder) = self.recorder(heap) else { return self.unseen() };
        // Only of others' blocks is there a question.
        if recorder.is_own(record) || self.is_counted(record) {
            recorder.freed(&self.ledger, &Event::of::<PLAIN>(columns, index, record), record);
        }
    }

    /// Whether the birth of a block is in the counters.
    fn is_counted(&self, record: Record) -> bool {
        !self.is_inherited(record) && record.stamp.thread() != UNCOUNTED
    }
}

impl Event {
    /// What happens to a block.
    #[inline(always)]
    fn of<const PLAIN: bool>(columns: &Columns, index: u32, record: Record) -> Self {
        let (size, class) = (record.size, columns.class_cell::<PLAIN>(record.size));
        let block = columns.identity(index);
        let weight = if PLAIN || !columns.is_sampled() {
            1
        } else {
            mode::whole_weight(columns.weight(), record.stamp, block)
        };
        Self { block, size, weight, class }
    }
}
