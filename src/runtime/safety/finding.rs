//! A mistake, as plain data.

use super::copies::Access;
use super::size::Named;
use super::{ARCHIVE, QUARANTINE, guards, is_any};
use crate::harden::family::Family;
use crate::harden::quarantine::Grave;
use crate::heap::locate::Misuse;
use crate::heap::observe::Slot;
use crate::runtime::ENGINE;
use crate::runtime::misuse::Call;
use crate::track::SiteId;
use crate::track::columns::Record;
use crate::unwind::State;
use core::ops::Range;

/// When a mistake was found that had been made before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::runtime) enum Moment {
    Free,
    Realloc,
    /// The block behind was freed.
    Neighbour,
    Check,
}

/// A block in use.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct Known {
    pub(super) start: usize,
    pub(super) size: usize,
    pub(super) site: SiteId,
    /// Kernel id of the thread that allocated it.
    pub(super) thread: u32,
    pub(super) family: Family,
}

impl Known {
    pub(super) fn of(slot: Slot<'_>, record: Record) -> Self {
        Self {
            start: slot.slab.block(slot.index) as usize,
            size: record.size,
            site: record.site,
            thread: ENGINE.observer.thread_id(record),
            family: record.stamp.seal().unwrap_or(Family::C),
        }
    }
}

/// A mistake.
#[derive(Clone, Debug)]
pub(in crate::runtime) enum Finding {
    /// The program frees or resizes what it must not.
    Bad { call: Call, misuse: Misuse },
    /// Bytes behind a block have been written, `damage` counted from its end.
    Overflow { block: Known, damage: Range<usize>, found: Moment },
    /// Bytes before a block have been written, `damage` counted backwards from its start.
    Underflow { block: Known, damage: Range<usize>, found: Moment },
    /// A freed block has been written to.
    Buried { grave: Grave, damage: Range<usize> },
    /// The program names another size, or a larger alignment, for a block that it frees or resizes.
    /// `is_exact`: the block's own size is known, and not only that of its memory.
    Size { call: Call, block: Known, named: Named, family: Family, is_exact: bool },
    /// A block is freed by another family's function.
    Family { block: Known, family: Family },
    /// A free block's link or key has been written to.
    FreeList { address: usize },
    /// `routine` is about to read or write `len` bytes from the address `at` on, which is in the
    /// block, and they are not.
    Copy { routine: &'static str, block: Known, at: usize, len: usize, access: Access },
    /// `routine` is about to copy bytes that overlap, and may not.
    Overlap { routine: &'static str, to: usize, from: usize, len: usize },
    /// An instruction touched what it must not.
    Fault(Fault),
}

/// An access that the processor refused.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) struct Fault {
    pub(super) address: usize,
    /// `None`: it is not known whether it was a write.
    pub(super) is_write: Option<bool>,
    pub(super) state: State,
    pub(super) victim: Victim,
}

/// What was met.
#[derive(Clone, Copy, Debug)]
pub(in crate::runtime) enum Victim {
    /// The guard of a block in use.
    Guard(Known),
    /// A freed block.
    Freed(Grave),
    /// What the pointer was read from: a freed block, or one that was never written.
    Pattern { is_poison: bool },
    /// Heapsight's own data.
    Own,
}

/// The grave of a block that was freed not long ago, or is still remembered.
pub(in crate::runtime) fn grave_of(address: *const u8) -> Option<Grave> {
    if !is_any() {
        return None;
    }
    QUARANTINE
        .find(address)
        .or_else(|| guards::sealed_at(address))
        .or_else(|| ARCHIVE.find(address))
}
