//! Sizes that the program names for blocks it frees or resizes.
//!
//! Where a block is recorded the size that was asked for must be named. Of others the engine knows
//! which sizes could have come to them ([`Slab::may_be_of`]): what is another class's is found,
//! what is off by a few bytes is not. A block has the alignment that it was asked for, or more.
//!
//! [`Slab::may_be_of`]: crate::heap::slab::Slab::may_be_of

use super::finding::{Finding, Known};
use super::is_on;
use super::report::report;
use crate::harden::family::Family;
use crate::heap::class::ALIGN_MIN;
use crate::heap::observe::Slot;
use crate::runtime::ENGINE;
use crate::runtime::misuse::{self, Call};
use crate::track::SiteId;

/// What a program says that a block is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Named {
    pub(crate) size: usize,
    pub(crate) align: usize,
}

impl Named {
    /// Whether a block at `address` may have been asked for with this alignment. With
    /// `guard_side=exact` blocks are not even aligned to what all others are.
    pub(super) fn is_aligned(self, address: usize) -> bool {
        self.align <= ALIGN_MIN || self.align.is_power_of_two() && address & (self.align - 1) == 0
    }
}

/// Compares what a function of `family` names with the block at `address`; says if that is wrong.
/// What is no block in use is not this function's business.
#[inline(always)]
pub(crate) fn check(call: Call, address: *mut u8, named: Named, family: Family) {
    let is_plain = ENGINE.serves_plainly(address, named.size);
    if !is_plain || !named.is_aligned(address as usize) {
        check_closely(call, address, named, family);
    }
}

#[inline(never)]
fn check_closely(call: Call, address: *mut u8, named: Named, family: Family) {
    let Ok(slot) = ENGINE.slot_at(address) else { return };
    if !is_right(slot, address, named) {
        tell(call, slot, address, named, family);
    }
}

fn is_right(slot: Slot<'_>, address: *mut u8, named: Named) -> bool {
    if !named.is_aligned(address as usize) {
        return false;
    }
    if slot.slab.is_tracked() {
        return ENGINE.observer.record_of(slot).is_none_or(|record| record.size == named.size);
    }
    // Blocks that are watched have more memory than was asked for.
    is_on() || slot.slab.may_be_of(named.size, named.align)
}

#[cold]
fn tell(call: Call, slot: Slot<'_>, address: *mut u8, named: Named, family: Family) {
    if !misuse::is_told() {
        return;
    }
    let record = ENGINE.observer.record_of(slot).filter(|_| slot.slab.is_tracked());
    let block = record.map_or_else(
        || Known {
            start: address as usize,
            size: slot.slab.usable_size(),
            site: SiteId::UNKNOWN,
            thread: 0,
            family,
        },
        |record| Known::of(slot, record),
    );
    report(&Finding::Size { call, block, named, family, is_exact: record.is_some() });
}
