//! The short way of a block's record: what nearly always happens, when a program does what it did
//! before.
//!
//! The block is small, of its own thread, from the call stack that the thread allocated from last;
//! no counter is full, nothing is a peak. All that is asked first, and nothing is written before it
//! is known: so there is no call in here, and who calls needs no room to save registers in.
//! Whatever is otherwise takes the long way ([`super::record`]), which does the same in general.

use super::cells::{self, add};
use super::columns::{Columns, Record, Stamp};
use super::event::{TEMPORARY, life_of};
use super::recorder::Recorder;
use super::{SiteId, Tracker};
use crate::base::sync::Ordering;
use crate::format::layout::{CHUNK_CELLS, CLASSES, Cell};
use crate::heap::local::LocalHeap;
use crate::heap::observe::{Freer, Seen, Slot};
use crate::unwind::{Limit, Registers};
use core::ptr::NonNull;

/// In place of the number of a stack, where stacks are not recorded. No node has it.
pub(super) const UNKNOWN_STACK: u32 = u32::MAX;

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

/// Where the record of a new block is: its columns, and the counters of its thread and site. They
/// stay where they are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plan {
    recorder: NonNull<Recorder>,
    columns: NonNull<Columns>,
    cell: NonNull<Cell>,
}

/// Where a block is from: the recorder of its thread, which remembers its site.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin(NonNull<Recorder>);

impl Origin {
    #[inline(always)]
    fn recorder(&self) -> &Recorder {
        // SAFETY: recorders live for ever.
        unsafe { self.0.as_ref() }
    }
}

impl Tracker {
    /// Where the block is from that `caller` asks for, if that is where the last one is from.
    #[inline(always)]
    pub(super) fn known_origin(&self, heap: &LocalHeap, caller: Registers) -> Result<Origin, Seen> {
        let Some(recorder) = super::recorder_of(heap) else { return Err(Seen::NOTHING) };
        let stack = if self.mode.wants_stacks() {
            recorder.stack.known(&self.rules, caller).map_err(Seen::limit)?
        } else {
            UNKNOWN_STACK
        };
        let origin = Origin(recorder.into());
        if recorder.remembers(stack) { Ok(origin) } else { Err(Seen::stack(stack)) }
    }

    /// The same at another stack than the thread's last, if its site is known and has counters:
    /// then the recorder remembers it.
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn found_origin(
        &self,
        heap: &LocalHeap,
        caller: Registers,
        seen: Seen,
    ) -> Result<Origin, Seen> {
        let Some(recorder) = super::recorder_of(heap) else { return Err(seen) };
        let tree = self.tree();
        let stack = match seen.found() {
            // Of the block something is special.
            Ok(stack) if recorder.remembers(stack) => return Err(seen),
            Ok(stack) => stack,
            Err(limit) => {
                let stack = recorder.stack.advance(&self.rules, tree, caller, limit);
                stack.map_err(Seen::limit)?
            }
        };
        let seen = Seen::stack(stack);
        let site = tree.known_site(stack).filter(|_| recorder.is_entered()).ok_or(seen)?;
        recorder.remember_site(stack, site, recorder.cell(site).ok_or(seen)?);
        Ok(Origin(recorder.into()))
    }

    /// How to record a block that is about to be handed out, if nothing about it is special.
    #[inline(always)]
    pub(super) fn plan(&self, slot: Slot<'_>, size: usize, origin: Origin) -> Result<Plan, Seen> {
        let recorder = origin.recorder();
        let plan = Self::plan_in(recorder, slot, size);
        plan.ok_or_else(|| Seen::stack(recorder.stack_known.get()))
    }

    #[inline(always)]
    fn plan_in(recorder: &Recorder, slot: Slot<'_>, size: usize) -> Option<Plan> {
        let columns = Columns::of(slot.slab)?;
        if !columns.is_plain() {
            return None;
        }
        let cell = recorder.last_cell()?;
        let is_plain = cells::is_plain_allocation(cell, size, recorder.peak_epoch())
            && recorder.slack.is_plain_allocation(size as u64);
        let plan = Plan { recorder: recorder.into(), columns: columns.into(), cell: cell.into() };
        is_plain.then_some(plan)
    }

    /// Records the end of a block. `None`: nothing was done, and there is more to do than usual;
    /// `false`: another thread was faster.
    #[inline(always)]
    pub(super) fn end_plainly(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        from: Freer,
    ) -> Option<bool> {
        let recorder = super::recorder_of(heap)?;
        let columns = Columns::of(slot.slab).filter(|columns| columns.is_plain())?;
        let record = columns.read_plain(slot.index)?;
        if !recorder.is_own(record) {
            return None;
        }
        let cell = recorder.cell(record.site)?;
        let is_temporary = recorder.last() == columns.identity(slot.index);
        let life = if is_temporary { TEMPORARY } else { life_of(recorder.age(record)) };
        if !cells::is_plain_free(cell, life, recorder.peak_epoch())
            || !recorder.slack.is_plain_free(record.size as u64)
        {
            return None;
        }
        match from {
            Freer::Owner => columns.clear(slot.index),
            Freer::Anyone if columns.take::<true>(slot.index, from).is_none() => {
                return Some(false);
            }
            Freer::Anyone => {}
        }
        recorder.count_free(columns, record.size, is_temporary);
        cells::count_free(cell, record.size, life);
        recorder.slack.free_plainly(record.size as u64);
        Some(true)
    }
}

impl Plan {
    /// Records the block, with [`Stamp::seal_of`] if it is watched.
    #[inline(always)]
    pub(super) fn record(self, index: u32, size: usize, seal: Stamp) {
        // SAFETY: recorders and cells live for ever, and the columns as long as the slab, of which
        // this is a block.
        let (recorder, columns, cell) =
            unsafe { (self.recorder.as_ref(), self.columns.as_ref(), self.cell.as_ref()) };
        let (site, stamp) = (recorder.last_site(), recorder.known_stamp().sealed(seal));
        columns.write::<true>(index, Record { site, size, stamp });
        recorder.count_allocation(columns, index, size);
        cells::count_allocation(cell, size, recorder.clock());
        recorder.slack.allocate_plainly(size as u64);
    }
}

impl Recorder {
    /// Whether the stack is the one that was allocated from last, and its site has counters.
    #[inline(always)]
    fn remembers(&self, stack: u32) -> bool {
        self.stack_known.get() == stack && !self.cell_known.get().is_null()
    }

    /// The counters of the site that was allocated from last.
    #[inline(always)]
    fn last_cell(&self) -> Option<&Cell> {
        // SAFETY: null, or in the ledger, for ever.
        unsafe { self.cell_known.get().as_ref() }
    }

    /// Its number, if so.
    #[inline(always)]
    pub(super) fn last_site(&self) -> SiteId {
        self.site_known.get()
    }

    /// The site of a stack is known from here on, as the thread is that allocates from it.
    #[inline(always)]
    pub(super) fn remember_site(&self, stack: u32, site: SiteId, cell: &Cell) {
        self.stack_known.set(stack);
        self.site_known.set(site);
        self.cell_known.set(core::ptr::from_ref(cell));
    }

    /// The counters of a site, if there are any.
    #[inline(always)]
    pub(super) fn cell(&self, site: SiteId) -> Option<&Cell> {
        let group = site.number() / CHUNK_CELLS as u32;
        // SAFETY: null, or a chunk of the ledger, for ever.
        let chunk = unsafe { self.directory_slot(group).load(Ordering::Relaxed).as_ref() }?;
        Some(&chunk.cells[site.number() as usize % CHUNK_CELLS])
    }

    /// Counts a small block that was handed out, but for its site and for what all know.
    #[inline(always)]
    pub(super) fn count_allocation(&self, columns: &Columns, index: u32, size: usize) {
        self.last.set(columns.identity(index));
        let class = &self.shard().classes[columns.class_cell::<true>(size) % CLASSES];
        add(&class.allocations, 1);
        add(&class.bytes, size as u64);
    }

    /// The same of one that was freed.
    #[inline(always)]
    pub(super) fn count_free(&self, columns: &Columns, size: usize, is_temporary: bool) {
        if is_temporary {
            self.last.set(0);
            add(&self.shard().temporary, 1);
        }
        let class = &self.shard().classes[columns.class_cell::<true>(size) % CLASSES];
        add(&class.frees, 1);
        add(&class.freed_bytes, size as u64);
    }

    /// [`Self::stamp`] of a thread that is in the ledger.
    #[inline(always)]
    pub(super) fn known_stamp(&self) -> Stamp {
        self.stamp.get().at(self.clock())
    }

    /// How old a block is that this thread has allocated.
    #[inline(always)]
    pub(super) fn age(&self, record: Record) -> u64 {
        record.stamp.age_of_own(self.stamp.get(), self.clock())
    }
}
