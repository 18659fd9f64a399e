//! `safety=full` and `safety=guard`: every block is watched, from its allocation until long after
//! its end. `safety=sampled`: some are.
//!
//! A watched block has a canary behind it, and in it junk until it is written to. Freeing it checks
//! the canary, the canary of the block before it, and the family of the function; then the block is
//! poisoned and buried, and its memory is reused when the poison was found intact. All this happens
//! here, above the engine, whose fast and quick paths are shut: what reaches it are its cold paths.
//!
//! | what | costs | finds |
//! |---|---|---|
//! | canary, at least 8 bytes | memory; a store and a compare a word | writes over edges |
//! | junk, up to 4 KiB | stores | uses of what was never written: they show |
//! | poison and quarantine | two passes; `quarantine` MiB | writes after free, second frees |
//! | family | nothing | `free` of what `new` made, and all other mixtures |
//! | guards ([`guards`]) | four system calls a block | what steps over an edge, where it does |
//!
//! In every mode a [`size`] that the program names for a block is compared with it. Where the
//! object that interposes `memcpy` is there, copies are looked at before they are made
//! ([`copies`]).
//!
//! With `safety=sampled` the engine itself gives guards to the few blocks that are watched, and
//! tells so; all others are served as ever ([`sampled`]). [`sites`] remembers from run to run where
//! something was found.
//!
//! What is found becomes a [`finding`], and that a [`report`](mod@report); [`fault`] hears of what
//! the processor finds.

mod check;
mod copies;
pub(crate) mod fault;
mod finding;
mod guards;
mod operators;
mod quick;
pub(crate) mod report;
mod sampled;
mod sentence;
mod sites;
pub(crate) mod size;
mod stacks;
mod strip;
mod turn;
mod watch;

pub(crate) use check::{check, check_at_exit};
pub(super) use finding::Finding;
pub(crate) use operators::{code_unloading, hide_families};
pub(super) use watch::{allocate, free, reallocate};

use super::ENGINE;
use super::options::{Config, Safety};
use crate::base::sync::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use crate::harden::archive::Archive;
use crate::harden::pattern::Canary;
use crate::harden::quarantine::Quarantine;
use crate::os::process;

/// How many bytes behind each block are its canary's, at least.
const REDZONE: usize = 8;
/// How many bytes behind a block are, at most: where its memory ends may be far.
const CANARY_MAX: usize = 4096;
/// How many bytes before a block are looked at, where they are nobody's.
const BEFORE_MAX: usize = 64;
/// How much of a fresh block is junk, at most: whoever allocates more may mean to touch little of
/// it.
const JUNK_MAX: usize = 4096;

/// Which blocks are watched.
static WATCHED: AtomicU8 = AtomicU8::new(NONE);
const NONE: u8 = 0;
const SAMPLES: u8 = 1;
const ALL: u8 = 2;

static SECRET: AtomicU64 = AtomicU64::new(0);
static SEED: AtomicU64 = AtomicU64::new(0);
static IS_NEVER_REUSED: AtomicBool = AtomicBool::new(false);
static IS_RETAINED: AtomicBool = AtomicBool::new(false);
static QUARANTINE: Quarantine = Quarantine::new(128);
static ARCHIVE: Archive = Archive::new();

/// Watches blocks from now on, or no more; those of before stay what they are.
pub(super) fn set(config: &Config) {
    let watched = match config.safety {
        Safety::Full | Safety::Guard => ALL,
        Safety::Sampled { .. } => SAMPLES,
        Safety::Off | Safety::Basic => NONE,
    };
    report::set_action(config.safety_action);
    if watched != NONE {
        let drawn = (process::random_word() as u64 >> 1).max(1);
        let seed = if config.safety_seed == 0 { drawn } else { config.safety_seed };
        if SECRET.load(Ordering::Relaxed) == 0 {
            SECRET.store(drawn, Ordering::Relaxed);
        }
        // Of samples the draw alone is random, and time decides with it unless there is a seed.
        let is_repeatable = watched == ALL || config.safety_seed != 0;
        SEED.store(if is_repeatable { seed } else { 0 }, Ordering::Relaxed);
        if watched == ALL {
            ENGINE.set_placement(seed);
            copies::follow();
        }
        fault::install();
    }
    sites::follow(&config.guard_sites);
    sampled::set(config);
    IS_NEVER_REUSED.store(config.never_unmap, Ordering::Relaxed);
    IS_RETAINED.store(config.retain_metadata, Ordering::Relaxed);
    let room = (config.quarantine_mib as usize) << 20;
    QUARANTINE.set_bytes_max(if config.never_unmap { usize::MAX } else { room });
    guards::set(config);
    ENGINE.set_watched(watched == ALL);
    WATCHED.store(watched, Ordering::Relaxed);
}

/// Whether every block is watched.
#[inline(always)]
pub(super) fn is_on() -> bool {
    WATCHED.load(Ordering::Relaxed) == ALL
}

/// Whether some blocks are watched, or all.
#[inline(always)]
fn is_any() -> bool {
    WATCHED.load(Ordering::Relaxed) != NONE
}

/// Whether the block at `address` may be watched: what happens to it concerns this module.
#[inline(always)]
pub(super) fn concerns(address: *const u8) -> bool {
    match WATCHED.load(Ordering::Relaxed) {
        NONE => false,
        SAMPLES => ENGINE.may_be_picked(address),
        _ => true,
    }
}

/// In the child of a fork.
pub(super) fn forked() {
    QUARANTINE.forked();
    ARCHIVE.forked();
    guards::forked();
    sites::forked();
    turn::forked();
}

fn canary() -> Canary {
    Canary::new(SECRET.load(Ordering::Relaxed))
}
