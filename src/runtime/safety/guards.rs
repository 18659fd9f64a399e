//! `safety=guard`: which blocks get guards, and what becomes of them when they are freed.
//!
//! Each guarded block costs the process two mappings, of which the kernel allows so many. With a
//! quarter of them in use, blocks are watched as with `safety=full`, and one line says so; as
//! guarded ones are freed, others get their place. Freed blocks stay out of reach, without memory,
//! until they hold too many addresses; the longest freed go first.

use super::report;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use crate::harden::choice::PLACES;
use crate::harden::quarantine::{Grave, Quarantine};
use crate::heap::class::SLICE;
use crate::heap::guarded::Guard;
use crate::heap::observe::Slot;
use crate::os::memory;
use crate::runtime::ENGINE;
use crate::runtime::options::{Config, GuardSide, Safety};

/// Bytes of addresses that freed blocks hold, at most.
const ADDRESSES: usize = 16 << 30;

/// The same with `safety=sampled`: half of the places for guards, where blocks are small.
const SAMPLED: usize = PLACES as usize / 2 * SLICE;

/// [`Guard`] as a number.
static SIDE: AtomicU8 = AtomicU8::new(NONE);
const NONE: u8 = 0;
const RIGHT: u8 = 1;
const EXACT: u8 = 2;
const LEFT: u8 = 3;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static LIVE_MAX: AtomicUsize = AtomicUsize::new(0);
static IS_SAID: AtomicBool = AtomicBool::new(false);
static SEALED: Quarantine = Quarantine::new(0);

pub(super) fn set(config: &Config) {
    let side = match (config.safety, config.guard_side) {
        (Safety::Guard, GuardSide::Right) => RIGHT,
        (Safety::Guard, GuardSide::Exact) => EXACT,
        (Safety::Guard, GuardSide::Left) => LEFT,
        _ => NONE,
    };
    SIDE.store(side, Ordering::Relaxed);
    if config.safety.watches() {
        let share = memory::address_space_limit().map_or(usize::MAX, |limit| limit / 8);
        let room = if config.never_unmap { usize::MAX } else { ADDRESSES.min(share) };
        SEALED.set_bytes_max(room);
    } else if config.safety.sampled().is_some() {
        SEALED.set_bytes_max(SAMPLED);
    }
    if config.safety.watches() {
        LIVE_MAX.store(memory::mappings_max() / 4, Ordering::Relaxed);
    }
}

/// Whether small blocks get guards, too.
#[inline(always)]
pub(super) fn is_for_all() -> bool {
    SIDE.load(Ordering::Relaxed) != NONE
}

/// The guard that the next block gets: large ones always have one before them.
pub(super) fn next() -> Guard {
    let side = match SIDE.load(Ordering::Relaxed) {
        RIGHT => Guard::Right,
        EXACT => Guard::Exact,
        LEFT => Guard::Left,
        _ => return Guard::Front,
    };
    if LIVE.load(Ordering::Relaxed) < LIVE_MAX.load(Ordering::Relaxed) {
        return side;
    }
    degrade();
    Guard::Front
}

/// Says once that not every block has a guard any more.
#[cold]
pub(super) fn degrade() {
    if !IS_SAID.swap(true, Ordering::Relaxed) {
        report::say(
            b"heapsight: safety=guard: the kernel allows no more guards (vm.max_map_count): while \
              so many blocks are in use, others are watched as with safety=full.\n",
        );
    }
}

/// A block has got its guard.
pub(super) fn born(slot: Slot<'_>) {
    if slot.slab.is_guarded() {
        LIVE.fetch_add(1, Ordering::Relaxed);
    }
}

/// Takes a guarded block out of reach. `false`: the system refused, and it is to be freed.
///
/// # Safety
/// The block's user has given it up.
pub(super) unsafe fn seal(slot: Slot<'_>, random: u64, grave: Grave, leave: fn(Grave)) -> bool {
    // SAFETY: the caller's.
    let is_sealed = unsafe { ENGINE.seal_off(slot.slab) };
    if is_sealed {
        SEALED.bury(grave.freer, random, grave, leave);
    }
    is_sealed
}

/// A guarded block is in use no more.
pub(super) fn ended() {
    let one_less = |live: usize| Some(live.saturating_sub(1));
    let _same = LIVE.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_less);
}

/// The sealed block that `address` lies in, which may be in its guards.
pub(super) fn sealed_at(address: *const u8) -> Option<Grave> {
    let slot = ENGINE.slot_of(address)?;
    if !slot.slab.is_guarded() {
        return None;
    }
    SEALED.find(slot.slab.block(0))
}

/// In the child of a fork.
pub(super) fn forked() {
    SEALED.forked();
}
