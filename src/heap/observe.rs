//! The seam to tracking: the engine tells an observer of blocks, and knows nothing else of it.
//!
//! The observer is called on cold paths only, with no lock held and no heap in the middle of a
//! change. What it allocates through the engine meanwhile is served from the private heap and not
//! observed.

use super::guarded::Guard;
use super::local::LocalHeap;
use super::records::Records;
use super::slab::Slab;
use super::space::Space;
use crate::harden::choice::Reason;
use crate::harden::family::Family;
use crate::os::lock::Lock;
use crate::unwind::Registers;

/// Memory for an observer's columns.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ColumnMemory<'a> {
    pub(super) records: &'a Records,
    pub(super) space: &'a Space,
}

impl ColumnMemory<'_> {
    /// Bytes, 64-aligned: zeros, or what columns that have ended left there; null when memory ran
    /// out.
    pub(crate) fn allocate(&self, len: usize) -> *mut u8 {
        self.records.allocate_columns(self.space, len)
    }

    /// Takes back what `allocate(len)` gave. Its first word is overwritten.
    ///
    /// # Safety
    /// Nobody uses the bytes any more.
    pub(crate) unsafe fn free(&self, memory: *mut u8, len: usize) {
        // SAFETY: the caller's.
        unsafe { self.records.free_columns(memory, len) }
    }
}

/// A block, as the observer sees it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot<'a> {
    /// Record of its slab, or of itself when it is a large block.
    pub(crate) slab: &'a Slab,
    /// Which block of the slab.
    pub(crate) index: u32,
}

/// Who frees a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Freer {
    /// The thread that owns its slab. Another one that frees the same block at this very moment
    /// need not be noticed, just as where nothing is observed.
    Owner,
    Anyone,
}

/// What an observer has found out of a block's record before it gave it up for the moment. Its
/// meaning is the observer's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(transparent)]
pub(crate) struct Seen(pub(crate) u64);

impl Seen {
    /// The observer has not looked at all.
    pub(crate) const NOWHERE: Self = Self(u64::MAX);
}

/// Which blocks an observer wants to hear of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    None = 0,
    /// Some, drawn at random.
    Samples,
    All,
}

/// A block that has not been handed out is to have a guard.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pick {
    pub(crate) guard: Guard,
    pub(crate) reason: Reason,
    /// Tells its call site from others.
    pub(crate) site: u32,
    /// When that began to be found out, and when it was known, in ticks.
    pub(crate) began: u64,
    pub(crate) walked: u64,
}

/// Hears of every block of a tracked heap.
pub(crate) trait Observer {
    /// Where a block is from.
    type Origin: Copy;
    /// Where the record of a block is about which nothing is special.
    type Plan: Copy;
    /// A tracked slab has come to be: make its columns. Failing to is allowed; the observer then
    /// finds no column later and counts the block as unseen. `drawn`: its blocks were drawn by
    /// [`Self::until_sample`], as blocks of so many bytes.
    fn slab_born(&self, slab: &Slab, memory: ColumnMemory<'_>, drawn: Option<usize>);
    /// Whether a block that `caller` wants is to have a guard. `reason`: it was drawn, or there is
    /// time to look whether its call site is listed.
    fn pick(&self, heap: &LocalHeap, caller: Registers, reason: Reason) -> Option<Pick>;
    /// It has got it.
    fn picked(&self, pick: Pick);
    /// It is on record, and will be handed out.
    fn guarded(&self, slot: Slot<'_>, size: usize, family: Family);
    /// Whether blocks that are drawn are to be observed, with a guard or without.
    fn keeps_samples(&self) -> bool;
    /// Whether there is time to look at a block that was not drawn.
    fn may_look(&self) -> bool;
    /// How many bytes the heap hands out before the next sample; `None`: no samples are taken.
    fn until_sample(&self, heap: &LocalHeap) -> Option<u64>;
    /// Whether blocks of this slab of samples stand for as many as those drawn now.
    fn suits(&self, slab: &Slab) -> bool;
    /// Which blocks are to be observed from here on.
    fn wants(&self) -> Wanted;
    /// Whether it has just begun to want any, and must be told what lives already.
    fn begins(&self) -> bool;
    /// So many blocks and bytes live that were not observed.
    fn lived_before(&self, blocks: usize, bytes: usize);
    /// A tracked slab ends: take its columns back.
    fn slab_died(&self, slab: &Slab, memory: ColumnMemory<'_>);
    /// `size` bytes were handed out. `heap` is the calling thread's, or a shared one whose lock it
    /// holds; as long as the observer runs, nobody else uses it.
    fn allocated(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, caller: Registers);
    /// Where the block is from that `caller` is about to be given; if that is known at once,
    /// [`Self::foresee`] follows, and else [`Self::look`]. Nothing is done yet.
    fn origin(&self, heap: &LocalHeap, caller: Registers) -> Result<Self::Origin, Seen>;
    /// The same, if what was seen was not enough, by a longer look; if that is not enough either,
    /// [`Self::allocated_after`] follows at once. The block's address is not known to it.
    fn look(&self, heap: &LocalHeap, caller: Registers, seen: Seen) -> Result<Self::Origin, Seen>;
    /// Whether nothing about that block is special: then [`Self::allocated_plainly`] follows, and
    /// else [`Self::allocated_after`], at once. Nothing is done yet.
    fn foresee(
        &self,
        slot: Slot<'_>,
        size: usize,
        origin: Self::Origin,
    ) -> Result<Self::Plan, Seen>;
    /// As [`Self::allocated`], as foreseen.
    fn allocated_plainly(&self, slot: Slot<'_>, size: usize, plan: Self::Plan);
    /// As [`Self::allocated`], with what was seen instead.
    fn allocated_after(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        size: usize,
        caller: Registers,
        seen: Seen,
    );
    /// As [`Self::freed`] by the owner, if nothing about the block is special; `false`: nothing was
    /// done.
    fn freed_plainly(&self, heap: &LocalHeap, slot: Slot<'_>) -> bool;
    /// The block is being freed; `heap` as above, and the slab is its own or another's. `false`: as
    /// far as the observer knows it is free already.
    fn freed(&self, heap: &LocalHeap, slot: Slot<'_>, from: Freer) -> bool;
    /// The block is a larger or smaller one's successor, which will be freed.
    fn moved(&self, heap: &LocalHeap, slot: Slot<'_>);
    /// This is a forked child, and the heap a copy of one of its parent's.
    fn inherited(&self, heap: &LocalHeap);
    /// The heap has lost its thread, or goes on to another one.
    fn handed_over(&self, heap: &LocalHeap);
    /// The observer's locks, in order: taken around `fork` with the engine's, after that of the
    /// orphans and before that of the records.
    fn locks(&self) -> [Option<&Lock>; 2] {
        [None; 2]
    }
    /// The block stays where it is but has `size` bytes from here on.
    fn resized(&self, heap: &LocalHeap, slot: Slot<'_>, size: usize, caller: Registers);
}

/// Nobody watches: for benches and the engine's own tests.
impl Observer for () {
    type Origin = ();
    type Plan = ();
    fn slab_born(&self, _: &Slab, _: ColumnMemory<'_>, _: Option<usize>) {}
    fn pick(&self, _: &LocalHeap, _: Registers, _: Reason) -> Option<Pick> {
        None
    }
    fn picked(&self, _: Pick) {}
    fn guarded(&self, _: Slot<'_>, _: usize, _: Family) {}
    fn keeps_samples(&self) -> bool {
        true
    }
    fn may_look(&self) -> bool {
        false
    }
    fn until_sample(&self, _: &LocalHeap) -> Option<u64> {
        None
    }
    fn suits(&self, _: &Slab) -> bool {
        true
    }
    fn wants(&self) -> Wanted {
        Wanted::None
    }
    fn begins(&self) -> bool {
        false
    }
    fn lived_before(&self, _: usize, _: usize) {}
    fn slab_died(&self, _: &Slab, _: ColumnMemory<'_>) {}
    fn allocated(&self, _: &LocalHeap, _: Slot<'_>, _: usize, _: Registers) {}
    fn origin(&self, _: &LocalHeap, _: Registers) -> Result<(), Seen> {
        Ok(())
    }
    fn look(&self, _: &LocalHeap, _: Registers, _: Seen) -> Result<(), Seen> {
        Ok(())
    }
    fn foresee(&self, _: Slot<'_>, _: usize, (): ()) -> Result<(), Seen> {
        Ok(())
    }
    fn allocated_plainly(&self, _: Slot<'_>, _: usize, _: ()) {}
    fn allocated_after(&self, _: &LocalHeap, _: Slot<'_>, _: usize, _: Registers, _: Seen) {}
    fn freed_plainly(&self, _: &LocalHeap, _: Slot<'_>) -> bool {
        true
    }
    fn freed(&self, _: &LocalHeap, _: Slot<'_>, _: Freer) -> bool {
        true
    }
    fn moved(&self, _: &LocalHeap, _: Slot<'_>) {}
    fn inherited(&self, _: &LocalHeap) {}
    fn handed_over(&self, _: &LocalHeap) {}
    fn resized(&self, _: &LocalHeap, _: Slot<'_>, _: usize, _: Registers) {}
}
