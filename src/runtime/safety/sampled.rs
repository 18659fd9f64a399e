//! `safety=sampled`: the few blocks that the engine has given guards.
//!
//! The engine draws samples where ready lists run out, and asks the observer whether one is to have
//! a guard (`heap::sampled`, `track::guards`, `harden::choice`). What it has served so is adopted
//! here: it gets its canary and its seal, and is a watched block from then on, which is freed and
//! resized as all of these are. Nobody else notices: what comes here comes from cold paths.

use super::{fault, watch};
use crate::heap::alloc::Request;
use crate::heap::guarded::Guard;
use crate::runtime::ENGINE;
use crate::runtime::options::{Config, GuardSide};

pub(super) fn set(config: &Config) {
    let guard = match config.guard_side {
        GuardSide::Right => Guard::Right,
        GuardSide::Exact => Guard::Exact,
        GuardSide::Left => Guard::Left,
    };
    ENGINE.observer.guards.set(guard, config.safety.sampled(), config.safety_seed);
}

/// The engine has given a block a guard, this one in all likelihood.
#[cold]
pub(in crate::runtime) fn adopt(block: *mut u8, request: Request) {
    fault::look_after();
    let Some(slot) = watch::recorded(block).filter(|slot| slot.slab.is_guarded()) else { return };
    if watch::sealed(slot).is_none() {
        watch::mark(slot, block, request);
    }
}
