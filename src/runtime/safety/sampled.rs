//! `safety=sampled`: the few blocks that the engine has given guards.
//!
//! The engine draws samples where ready lists run out, and asks the observer whether one is to have
//! a guard (`heap::sampled`, `track::guards`, `harden::choice`). What it has served so is adopted
//! here: it gets its canary and its seal, and is a watched block from then on, which is freed and
//! resized as all of these are. Nobody else notices: what comes here comes from cold paths.

use super::{fault, watch};
use crate::harden::family::Family;
use crate::heap::guarded::Guard;
use crate::heap::observe::Slot;
use crate::runtime::ENGINE;
use crate::runtime::options::{Config, GuardSide};

pub(super) fn set(config: &Config) {
    let guard = match config.guard_side {
        GuardSide::Right => Guard::Right,
        GuardSide::Exact => Guard::Exact,
        GuardSide::Left => Guard::Left,
    };
    ENGINE.observer.set_guards(guard, config.safety.sampled(), config.safety_seed, adopt);
}

/// The engine has given a block a guard.
fn adopt(slot: Slot<'_>, size: usize, family: Family) {
    fault::look_after();
    if watch::sealed(slot).is_none() {
        watch::mark(slot, slot.slab.block(slot.index), size, family);
    }
}
