//! Floor 5: tracking. The engine's observer: who allocated each living block, and how much.
//!
//! Tracking is a column, not a hash table. Each tracked slab carries, out of band, what is recorded
//! of each of its blocks ([`columns`]): recording an allocation stores into it; freeing takes it
//! out, which also tells a second free. Call stacks are numbers ([`stacks`], [`modules`]), found by
//! [`crate::unwind`]. Sums are kept by each thread for itself ([`recorder`]). All but the columns
//! lives in the ledger ([`ledger`]), where another process can read it.

mod cells;
pub(crate) mod columns;
mod event;
mod guards;
pub(crate) mod ledger;
mod mode;
mod modules;
pub(crate) mod moment;
mod notes;
mod numbers;
mod plain;
mod record;
pub(crate) mod recorder;
mod renew;
mod slack;
pub(crate) mod stacks;
pub(crate) mod stats;
mod table;
mod timeline;
pub(crate) mod trial;

#[cfg(test)]
mod tests;

use crate::base::sync::{AtomicU32, Ordering};
use crate::harden::choice::Reason;
use crate::harden::family::Family;
use crate::heap::local::LocalHeap;
use crate::heap::observe::{ColumnMemory, Freer, Observer, Pick, Seen, Slot, Wanted};
use crate::heap::slab::Slab;
use crate::os::clock;
use crate::os::lock::Lock;
use crate::unwind::{Registers, Rules};
use columns::{Columns, Record, Stamp};
use core::ptr::NonNull;
use guards::Guards;
use ledger::{Ledger, Pages};
use mode::Mode;
pub(crate) use mode::Recorded;
use plain::{Origin, Plan};
use record::NewBlock;
use recorder::Recorder;
use stacks::{Stacks, Tree};
use stats::Baseline;

/// A call site: a call stack that allocates. Never zero, which stands for "no block" in columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SiteId(u32);

impl SiteId {
    /// A block whose stack is not known: stacks were not recorded, or could not be.
    pub(crate) const UNKNOWN: Self = Self(1);
    /// Number of the first site that is known.
    pub(crate) const FIRST: u32 = 2;

    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    pub(crate) const fn from_number(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }
}

/// The observer of the product.
#[derive(Debug)]
pub(crate) struct Tracker {
    pub(crate) ledger: Ledger,
    pub(crate) stacks: Stacks,
    pub(crate) rules: Rules,
    pub(crate) mode: Mode,
    pub(crate) guards: Guards,
    /// Threads with lower numbers belong to the process this one was forked from.
    first_thread: AtomicU32,
    baseline: Baseline,
}

impl Tracker {
    pub(crate) const fn new() -> Self {
        Self {
            ledger: Ledger::new(),
            stacks: Stacks::new(),
            rules: Rules::new(),
            mode: Mode::new(),
            guards: Guards::new(),
            first_thread: AtomicU32::new(0),
            baseline: Baseline::new(),
        }
    }

    /// Records something else from here on.
    pub(crate) fn record(&self, recorded: Recorded) {
        self.mode.set(recorded, &self.ledger);
    }

    /// Makes a ledger of at most `len` bytes that no file keeps, if there is none yet.
    pub(crate) fn open_ledger(&self, len: usize) {
        if let Some(pages) = Pages::private(len).filter(|_| self.ledger.header().is_none()) {
            self.open_ledger_in(pages);
        }
    }

    /// Makes a ledger. There is none yet.
    pub(crate) fn open_ledger_in(&self, pages: Pages) {
        self.ledger.open(pages);
        self.ledger.name_classes();
    }

    /// Stacks, their frames and modules.
    pub(crate) fn tree(&self) -> Tree<'_> {
        Tree { ledger: &self.ledger, stacks: &self.stacks }
    }

    /// The program is about to unload code, or has just done so.
    pub(crate) fn code_unloaded(&self) {
        self.rules.invalidate();
        self.guards.listed.forget_others();
        self.stacks.modules.unloaded(&self.ledger);
    }

    /// The process has forked, and this is the child: its ledger begins anew, in these pages or,
    /// without any or where they have no room, which is `false`, in private ones. What lives it has
    /// inherited.
    pub(crate) fn forked(&self, pages: Option<Pages>) -> bool {
        self.first_thread.store(self.ledger.threads.len(), Ordering::Relaxed);
        self.ledger.renew(pages)
    }

    /// Makes known to all what a thread has kept to itself.
    pub(crate) fn tell_all(&self, heap: &LocalHeap) {
        if let Some(recorder) = recorder_of(heap) {
            recorder.publish(&self.ledger);
        }
        self.ledger.adjust_clock();
    }

    /// Visits what is mapped for a heap's recorder: start and length. Blocks are remembered there
    /// that nobody else may know of.
    pub(crate) fn for_each_mapping(&self, heap: &LocalHeap, visit: &mut dyn FnMut(usize, usize)) {
        if let Some(recorder) = recorder_of(heap) {
            recorder.for_each_mapping(visit);
        }
    }

    /// Whether a block was allocated by the process this one was forked from.
    pub(crate) fn is_inherited(&self, record: Record) -> bool {
        let thread = record.stamp.thread();
        thread != 0 && thread < self.first_thread.load(Ordering::Relaxed)
    }

    /// Kernel id of the thread that allocated a block; zero if it has no record.
    pub(crate) fn thread_id(&self, record: Record) -> u32 {
        let number = record.stamp.thread();
        let thread = self.ledger.threads.get(number).filter(|_| number < self.ledger.threads.len());
        thread.map_or(0, |thread| thread.id.load(Ordering::Relaxed))
    }

    /// What is recorded of a block; `None` when it is free or was never observed.
    #[inline(always)]
    pub(crate) fn record_of(&self, slot: Slot<'_>) -> Option<Record> {
        Columns::of(slot.slab)?.read(slot.index)
    }

    #[inline(always)]
    fn recorder<'a>(&self, heap: &'a LocalHeap) -> Option<&'a Recorder> {
        recorder_of(heap).or_else(|| self.new_recorder(heap))
    }

    #[cold]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn new_recorder<'a>(&self, heap: &'a LocalHeap) -> Option<&'a Recorder> {
        let recorder: NonNull<Recorder> = Recorder::make(&self.ledger)?;
        self.own_memory(size_of::<Recorder>().cast_signed());
        heap.set_companion(recorder.as_ptr().cast());
        recorder_of(heap)
    }

    /// Heapsight's own records have grown by so many bytes.
    fn own_memory(&self, bytes: isize) {
        if let Some(header) = self.ledger.header() {
            header.overhead_bytes.fetch_add(bytes as u64, Ordering::Relaxed);
        }
    }

    fn unseen(&self) {
        if let Some(header) = self.ledger.header() {
            header.unseen.fetch_add(1, Ordering::Relaxed);
        }
    }
}

#[inline(always)]
fn recorder_of(heap: &LocalHeap) -> Option<&Recorder> {
    // SAFETY: null, or set by `new_recorder`: recorders live for ever.
    unsafe { heap.companion().cast::<Recorder>().as_ref() }
}

impl Observer for Tracker {
    type Origin = Origin;
    type Plan = Plan;

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn slab_born(&self, slab: &Slab, memory: ColumnMemory<'_>, drawn: Option<usize>) {
        let weight = drawn.map_or(1.0, |size| self.mode.weight(size));
        self.own_memory(Columns::attach(slab, memory, weight).cast_signed());
    }

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn until_sample(&self, heap: &LocalHeap) -> Option<u64> {
        self.mode.draw(self.guards.random(heap))
    }

    fn pick(&self, heap: &LocalHeap, caller: Registers, reason: Reason) -> Option<Pick> {
        self.pick_guard(heap, caller, reason)
    }

    fn picked(&self, pick: Pick) {
        let (now, walk) = (clock::ticks(), pick.walked.wrapping_sub(pick.began));
        self.guards.choice.took(pick.reason, pick.site, walk, now.wrapping_sub(pick.walked), now);
    }

    fn guarded(&self, slot: Slot<'_>, size: usize, family: Family) {
        self.tell_guarded(slot, size, family);
    }

    fn keeps_samples(&self) -> bool {
        self.mode.sample_bytes() != 0
    }

    fn may_look(&self) -> bool {
        self.guards.choice.is_on() && self.guards.choice.may_look(clock::ticks())
    }

    fn suits(&self, slab: &Slab) -> bool {
        let weight = self.mode.weight(slab.usable_size());
        Columns::of(slab).is_some_and(|columns| columns.weight() == weight)
    }

    #[inline]
    fn wants(&self) -> Wanted {
        self.mode.wants(&self.ledger)
    }

    fn slab_died(&self, slab: &Slab, memory: ColumnMemory<'_>) {
        if slab.is_guarded() {
            self.guards.choice.left();
        }
        self.own_memory(-Columns::detach(slab, memory).cast_signed());
    }

    fn begins(&self) -> bool {
        self.mode.begins()
    }

    fn lived_before(&self, blocks: usize, bytes: usize) {
        if let Some(header) = self.ledger.header() {
            header.before_blocks.store(blocks as u64, Ordering::Relaxed);
            header.before_bytes.store(bytes as u64, Ordering::Relaxed);
        }
    }

    #[inline(always)]
    fn allocated(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, caller: Registers) {
        let block = NewBlock { size, caller, seal: Stamp::NONE };
        self.record_new(heap, slot, block, Seen::NOTHING);
    }

    #[inline(always)]
    fn origin(&self, heap: &LocalHeap, caller: Registers) -> Result<Origin, Seen> {
        self.known_origin(heap, caller)
    }

    #[inline(always)]
    fn look(&self, heap: &LocalHeap, caller: Registers, seen: Seen) -> Result<Origin, Seen> {
        self.found_origin(heap, caller, seen)
    }

    #[inline(always)]
    fn foresee(&self, slot: Slot<'_>, size: usize, origin: Origin) -> Result<Plan, Seen> {
        self.plan(slot, size, origin)
    }

    #[inline(always)]
    fn allocated_plainly(&self, slot: Slot<'_>, size: usize, plan: Plan) {
        plan.record(slot.index, size, Stamp::NONE);
    }

    #[inline(always)]
    fn allocated_after(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        size: usize,
        caller: Registers,
        seen: Seen,
    ) {
        self.record_new(heap, slot, NewBlock { size, caller, seal: Stamp::NONE }, seen);
    }

    #[inline(always)]
    fn freed_plainly(&self, heap: &LocalHeap, slot: Slot<'_>) -> bool {
        self.end_plainly(heap, slot, Freer::Owner).is_some()
    }

    #[inline(always)]
    fn freed(&self, heap: &LocalHeap, slot: Slot<'_>, from: Freer) -> bool {
        self.record_end(heap, slot, from)
    }

    fn resized(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, caller: Registers) {
        self.record_resize(heap, slot, NewBlock { size, caller, seal: Stamp::NONE });
    }

    fn moved(&self, heap: &LocalHeap, slot: Slot<'_>) {
        self.count_resize(heap, slot);
    }

    fn inherited(&self, heap: &LocalHeap) {
        if let Some(recorder) = recorder_of(heap) {
            recorder.begin_anew();
        }
    }

    fn handed_over(&self, heap: &LocalHeap) {
        if let Some(recorder) = recorder_of(heap) {
            recorder.leave(&self.ledger);
        }
    }

    fn locks(&self) -> [Option<&Lock>; 2] {
        [Some(self.rules.lock()), Some(self.ledger.lock())]
    }
}
