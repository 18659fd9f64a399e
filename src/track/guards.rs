//! Which blocks get guards where some do (`safety=sampled`): how the observer answers the engine.
//!
//! A drawn block's call site is known before the block is there, and the choice goes by it
//! ([`choice`](crate::harden::choice)). A site is told apart from run to run by hashes of the build
//! ids of its modules and the offsets in them, so that address randomisation does not matter; the
//! innermost frames do, whoever called them.

use super::numbers::mix;
use super::{SiteId, Tracker};
use crate::base::sync::{AtomicPtr, AtomicU8, AtomicU64, Ordering};
use crate::format::layout::{Frame, Module};
use crate::format::sites::SiteKey;
use crate::harden::choice::{Choice, Reason};
use crate::harden::family::Family;
use crate::harden::listed::Listed;
use crate::heap::guarded::Guard;
use crate::heap::local::{LocalHeap, State};
use crate::heap::observe::{Pick, Slot};
use crate::os::clock;
use crate::unwind::Registers;
use core::{mem, ptr};

/// Frames that tell a site from others.
const KEY_FRAMES: usize = 8;
/// For code of no module.
const NOWHERE: u64 = 1;

/// The answers. All zeros: no block gets a guard.
#[derive(Debug)]
pub(crate) struct Guards {
    pub(crate) choice: Choice,
    pub(crate) listed: Listed,
    /// [`Guard`] as a number.
    side: AtomicU8,
    /// Mean bytes between guards.
    mean: AtomicU64,
    /// Hears of each block that has a guard: an [`OnGuarded`], or null.
    on_guarded: AtomicPtr<u8>,
    /// State of the random numbers that blocks are drawn by; zero: each heap has its own.
    draws: AtomicU64,
}

/// A function that hears of a block, its size and its family.
pub(crate) type OnGuarded = fn(Slot<'_>, usize, Family);

const EXACT: u8 = 1;
const LEFT: u8 = 2;

impl Guards {
    pub(super) const fn new() -> Self {
        Self {
            choice: Choice::new(),
            listed: Listed::new(),
            side: AtomicU8::new(0),
            mean: AtomicU64::new(0),
            on_guarded: AtomicPtr::new(ptr::null_mut()),
            draws: AtomicU64::new(0),
        }
    }

    fn set(&self, guard: Guard, mean: Option<u64>, seed: u64, hear: OnGuarded) {
        self.on_guarded.store(hear as *mut u8, Ordering::Release);
        let side = match guard {
            Guard::Left => LEFT,
            Guard::Exact => EXACT,
            Guard::None | Guard::Front | Guard::Right => 0,
        };
        self.side.store(side, Ordering::Relaxed);
        self.mean.store(mean.unwrap_or(0), Ordering::Relaxed);
        self.draws.store(if mean.is_some() { seed } else { 0 }, Ordering::Relaxed);
        self.choice.set(mean.is_some(), seed != 0);
    }

    fn side(&self) -> Guard {
        match self.side.load(Ordering::Relaxed) {
            LEFT => Guard::Left,
            EXACT => Guard::Exact,
            _ => Guard::Right,
        }
    }

    /// A random number: of the heap's, or of the one sequence of the seed.
    pub(super) fn random(&self, heap: &LocalHeap) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        if self.draws.load(Ordering::Relaxed) == 0 {
            return heap.random();
        }
        let state = self.draws.fetch_add(STEP, Ordering::Relaxed);
        mix(mix(state, STEP), state)
    }

    /// Whether one of the samples that are drawn so many bytes apart is one of those that are to be
    /// guarded, which are fewer.
    fn is_wanted(&self, sample_bytes: u64, random: u64) -> bool {
        let mean = self.mean.load(Ordering::Relaxed);
        sample_bytes == 0 || mean <= sample_bytes || random % mean < sample_bytes
    }
}

impl Tracker {
    /// Gives guards on this side to blocks so many bytes apart from now on; `None`: to none. With a
    /// seed other than zero the same blocks get one in every run. `hear` is told of each.
    pub(crate) fn set_guards(&self, guard: Guard, mean: Option<u64>, seed: u64, hear: OnGuarded) {
        self.guards.set(guard, mean, seed, hear);
        self.mode.set_guard_bytes(mean.unwrap_or(0));
    }

    /// See `Observer::pick`.
    pub(super) fn pick_guard(
        &self,
        heap: &LocalHeap,
        caller: Registers,
        reason: Reason,
    ) -> Option<Pick> {
        let guards = &self.guards;
        if !guards.choice.is_on() || heap.state() != State::Running {
            return None;
        }
        let began = clock::ticks();
        let is_drawn = reason == Reason::Drawn;
        let pc = caller.returns_to();
        let has_listed = !guards.listed.is_empty();
        if !is_drawn && guards.listed.is_other(pc) || !guards.choice.may_walk(has_listed, began) {
            return None;
        }
        let recorder = self.recorder(heap)?;
        let site = recorder.stack.capture(&self.rules, self.tree(), caller)?;
        let is_listed = has_listed && self.is_listed(site, pc);
        let walked = clock::ticks();
        let is_wanted = || guards.is_wanted(self.mode.sample_bytes(), guards.random(heap));
        let reason = if is_listed { Reason::Listed } else { Reason::Drawn };
        let is_allowed = (is_listed || is_drawn && is_wanted())
            && guards.choice.allows(reason, site, walked, guards.random(heap));
        if !is_allowed {
            guards.choice.walked(is_drawn, walked.wrapping_sub(began), walked);
            return None;
        }
        Some(Pick { guard: guards.side(), reason, site, began, walked })
    }

    /// See `Observer::guarded`.
    pub(super) fn tell_guarded(&self, slot: Slot<'_>, size: usize, family: Family) {
        let hear = self.guards.on_guarded.load(Ordering::Acquire);
        if !hear.is_null() {
            // SAFETY: `set` stored it, and nobody else does.
            let hear = unsafe { mem::transmute::<*mut u8, OnGuarded>(hear) };
            hear(slot, size, family);
        }
    }

    fn is_listed(&self, stack: u32, pc: usize) -> bool {
        let key = self.key_of(stack);
        let is_listed = self.guards.listed.has(key);
        if !is_listed && !self.guards.listed.has_frame(key.frame) {
            self.guards.listed.remember_other(pc);
        }
        is_listed
    }

    /// What tells a call site apart from run to run.
    pub(crate) fn site_key(&self, site: SiteId) -> Option<SiteKey> {
        let record = self.ledger.sites.get(site.number())?;
        let key = self.key_of(record.node.load(Ordering::Relaxed));
        (key.frame != 0).then_some(key)
    }

    fn key_of(&self, stack: u32) -> SiteKey {
        let mut key = SiteKey { frame: 0, stack: 0 };
        let is_frame = |frame: &&Frame| frame.flags.load(Ordering::Relaxed) & Frame::ENDING == 0;
        for frame in self.tree().frames_from(stack).filter(is_frame).take(KEY_FRAMES) {
            let number = self.place_key(frame);
            if key.frame == 0 {
                key.frame = number;
            }
            key.stack = mix(key.stack, number);
        }
        key
    }

    /// A frame as its module and the offset in it.
    fn place_key(&self, frame: &Frame) -> u64 {
        let number = frame.module.load(Ordering::Relaxed).checked_sub(1);
        let Some(module) = number.and_then(|number| self.ledger.modules.get(number)) else {
            return NOWHERE;
        };
        let address = frame.address.load(Ordering::Relaxed);
        let offset = address.wrapping_sub(module.bias.load(Ordering::Relaxed));
        mix(self.module_key(module), offset) | 1
    }

    /// A module as its build id; one without has its path.
    fn module_key(&self, module: &Module) -> u64 {
        let len = module.build_id_len.load(Ordering::Relaxed) as usize;
        if len > 0 {
            let words = module.build_id.iter().take(len.div_ceil(4));
            return words.fold(0, |key, word| mix(key, u64::from(word.load(Ordering::Relaxed))));
        }
        self.ledger.text(&module.path).iter().fold(1, |key, byte| mix(key, u64::from(*byte)))
    }
}
