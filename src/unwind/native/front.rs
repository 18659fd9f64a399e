//! A second look at few frames: stacks whose innermost calls alternate.
//!
//! The cache holds one stack, the last. A loop that allocates in several places changes the
//! innermost frames back and forth, and each change is unwound again. So tops of stacks that come
//! again are kept: a frame, the words from it to where it joined the cached stack, and the number
//! of the whole. A top is good where the cache has the frame that it joined, as part of the same
//! stack, and its words, then those of that entry, are what they were; they are compared in this
//! order, as [`super::cache`] demands. All of it is forgotten when a module goes.
//!
//! Tops are worth their comparison only if they come again: a top is kept when its stack comes the
//! second time, and while most looks are in vain none are taken, for the longer the longer it goes
//! on like this.

use super::names::Frame;
use super::step::State;
use super::store::{Store, Word};

/// Words of a top, at most.
const WORDS_MAX: usize = 8;
/// Tops of a thread, in sets: different tops often start at the same place of the stack.
pub(super) const TOPS: usize = SETS * WAYS;
const SETS: usize = 64;
const WAYS: usize = 4;

/// A top of a stack. All zeros match nothing.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub(super) struct Top {
    frame: Frame,
    sp: usize,
    fp: usize,
    /// The frame it joined, and its stack.
    joined_sp: usize,
    joined_fp: usize,
    parent: u32,
    /// Entries up to that one; zero: nothing is kept yet but the number.
    join: u32,
    /// Generation of the rules.
    generation: u64,
    node: u32,
    len: u16,
    is_fp_live: bool,
    /// Of the first of a set: which one is to be replaced next.
    turn: u8,
    words: [Word; WORDS_MAX],
}

const _: () = assert!(size_of::<Top>() == 192);

/// How well looking has paid lately.
#[derive(Clone, Copy, Debug)]
pub(super) struct Odds {
    score: i16,
    /// Captures without a look that are left.
    pause: u16,
    /// How often looks were given up without having paid in between.
    losses: u16,
}

const SCORE_MAX: i16 = 64;
const SCORE_MIN: i16 = -64;
/// The pause after the first loss; each further one doubles it, so many times.
const PAUSE: u16 = 256;
const DOUBLINGS: u16 = 4;

impl Odds {
    pub(super) const EVEN: Self = Self { score: 0, pause: 0, losses: 0 };

    /// Whether to look.
    #[inline(always)]
    pub(super) fn favour(&mut self) -> bool {
        if self.pause == 0 {
            return true;
        }
        self.pause -= 1;
        false
    }

    #[inline(always)]
    pub(super) fn won(&mut self) {
        self.score = (self.score + 1).min(SCORE_MAX);
        if self.score > 0 {
            self.losses = 0;
        }
    }

    #[inline(always)]
    pub(super) fn lost(&mut self) {
        self.score -= 1;
        if self.score < SCORE_MIN {
            let losses = (self.losses + 1).min(DOUBLINGS);
            *self = Self { score: 0, pause: PAUSE << self.losses, losses };
        }
    }
}

/// The first of the tops among which those that start at `state` are.
#[inline(always)]
fn set_of(state: &State) -> usize {
    let hash = (state.frame.key() ^ (state.sp as u64) << 20).wrapping_mul(FACTOR);
    (hash >> (u64::BITS - SETS.ilog2())) as usize * WAYS
}

const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

/// What the cache has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Cached {
    pub(super) store: Store,
    /// Entries.
    pub(super) len: usize,
    /// Generation of the rules that they were found by.
    pub(super) generation: u64,
}

/// The number of a stack whose top is known, when of the cached entries those that rest on more
/// than `limit` words have changed.
#[inline]
pub(super) fn find(cached: &Cached, state: &State, limit: u32) -> Option<u32> {
    let Cached { store, len, generation } = *cached;
    let set = set_of(state);
    for way in 0..WAYS {
        // SAFETY: tops are always there.
        let top = unsafe { &*store.top(set + way) };
        let is_same = top.frame == state.frame
            && top.sp == state.sp
            && (!top.is_fp_live || top.fp == state.fp)
            && top.generation == generation;
        let join = top.join as usize;
        if !is_same || join == 0 || join > len {
            continue;
        }
        // SAFETY: entries below `len` are written.
        let joined = unsafe { &*store.entries().add(join - 1) };
        let is_joined = joined.node == top.parent
            && joined.sp == top.joined_sp
            && (!joined.is_fp_live() || joined.fp == top.joined_fp);
        if !is_joined || joined.words() > limit {
            continue;
        }
        // SAFETY: the frame is on this thread's stack, just as it was, and as many words are
        // written.
        if !unsafe { Word::are_equal(top.words.as_ptr(), top.len as usize) } {
            continue;
        }
        // SAFETY: as above; every word of the top is equal, so the entry has been reached.
        let rest = unsafe { joined.first_difference(store) };
        return rest.is_none().then_some(top.node);
    }
    None
}

/// Keeps the top of the stack in the cache, which has joined the stack before at `join`.
#[inline]
pub(super) fn keep(cached: &Cached, state: &State, join: usize) {
    let Cached { store, len, generation } = *cached;
    // SAFETY: tops are always there, and entries below `len` are written; `0 < join < len`.
    let (joined, last) = unsafe {
        let entries = store.entries();
        (&*entries.add(join - 1), &*entries.add(len - 1))
    };
    let set = set_of(state);
    // SAFETY: tops are always there.
    let node_of = |way: usize| unsafe { (*store.top(set + way)).node };
    let known = (0..WAYS).find(|way| node_of(*way) == last.node);
    let way = known.unwrap_or_else(|| {
        // SAFETY: as above.
        let turn = unsafe { &mut (*store.top(set)).turn };
        *turn = turn.wrapping_add(1);
        usize::from(*turn) % WAYS
    });
    // SAFETY: tops are always there, and nobody else has a reference.
    let top = unsafe { &mut *store.top(set + way) };
    let is_second = known.is_some() && top.frame == state.frame;
    let count = (last.words() - joined.words()) as usize;
    // One by one: all at once would be by way of a copy.
    (top.frame, top.sp, top.fp) = (state.frame, state.sp, state.fp);
    (top.joined_sp, top.joined_fp, top.parent) = (joined.sp, joined.fp, joined.node);
    (top.node, top.is_fp_live, top.generation) = (last.node, last.is_fp_live(), generation);
    top.join = if is_second && count <= WORDS_MAX { join as u32 } else { 0 };
    top.len = count as u16;
    if top.join != 0 {
        // SAFETY: those words are written, and there is room for so many.
        unsafe {
            let from = store.words().add(joined.words() as usize);
            top.words.as_mut_ptr().copy_from_nonoverlapping(from, count);
        }
    }
}
