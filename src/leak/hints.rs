//! What will be marked soon, where there is little to do at a time.
//!
//! Of a list one block must be known before the next one is, so its edges would arrive from memory
//! one after the other. But many walks that begin at different places, side by side, wait together;
//! and each leaves a *trail* for whoever then goes along the list: the blocks that it met, one
//! behind the other. On a trail what comes [`AHEAD`] steps later is known, and what so many
//! steps before, because nobody knows which way a list will be gone along.
//!
//! These are hints: what they say is fetched into the cache, and means nothing else. So two walks
//! may meet in one block and both believe to be its first.

use super::edges::Edges;
use super::marks::Marks;
use super::parts::{self, PARTS, Part, Parts};
use super::scratch::{NoMemory, Vector};
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering};
use crate::mem::prefetch;

/// See the module.
#[derive(Debug)]
pub(super) struct Hints {
    /// For each block its place on the trails plus one; zero: no walk has met it.
    places: Vector<u32>,
    /// All trails. Each goes on in another chunk when one is full.
    trails: Vector<u32>,
}

/// So many walks of a thread go on side by side.
const WALKS: usize = if cfg!(test) { 4 } else { 24 };
/// How far ahead of whoever goes along a trail it is fetched.
pub(super) const AHEAD: usize = if cfg!(test) { 4 } else { 32 };
/// Places of a trail that follow each other.
const CHUNK: usize = if cfg!(test) { 1 << 4 } else { 1 << 14 };
const NONE: u32 = u32::MAX;

/// What is walked on.
struct Ground<'g> {
    edges: &'g Edges,
    marks: &'g Marks,
    places: &'g [AtomicU32],
    trails: &'g [AtomicU32],
    /// How many places of the trails are taken.
    taken: AtomicUsize,
}

/// A walk along the first edges that do not lead back.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// The block that is next; [`NONE`]: a new beginning is to be looked for.
    at: u32,
    /// The block before.
    back: u32,
    /// Where its trail goes on, up to the end of the chunk.
    place: usize,
    end: usize,
    /// Beginnings are looked for from here on, up to there.
    from: usize,
    to: usize,
}

impl Hints {
    /// Walks through all blocks that are not reached yet.
    #[inline(never)]
    pub(super) fn of(edges: &Edges, marks: &Marks) -> Result<Self, NoMemory> {
        let parts = Parts::of(marks.spans(), marks.len());
        // The last chunk of each walk may stay empty.
        let room = marks.len().next_multiple_of(CHUNK) + PARTS * WALKS * CHUNK;
        let (mut places, mut trails) = (Vector::zeroed(marks.len())?, Vector::zeroed(room)?);
        let ground = Ground {
            edges,
            marks,
            places: atomic(&mut places),
            trails: atomic(&mut trails),
            taken: AtomicUsize::new(0),
        };
        let mut all = parts.all;
        // SAFETY: the walks write to atomic words alone.
        unsafe { parts::each(&mut all[..parts.used], |part| ground.walk(part)) };
        Ok(Self { places, trails })
    }

    #[inline(always)]
    fn block(&self, place: usize) -> usize {
        self.trails.get(place).map_or(0, |block| *block as usize)
    }

    /// The blocks on both sides of a block's place on the trails, if they are.
    #[inline(always)]
    pub(super) fn around(&self, number: usize) -> [usize; 2] {
        let place = (self.places[number] as usize).wrapping_sub(1);
        [self.block(place.wrapping_sub(AHEAD)), self.block(place.wrapping_add(AHEAD))]
    }

    /// Fetches what will be needed when this block's turn is past.
    #[inline(always)]
    pub(super) fn fetch(&self, number: usize, edges: &Edges, marks: &Marks) {
        for block in self.around(number) {
            if marks.is_unreached(block) {
                edges.prefetch(block);
                marks.prefetch_cell(block);
                prefetch(self.places.as_ptr().wrapping_add(block).addr());
            }
        }
    }
}

/// Whoever goes along trails.
#[derive(Clone, Copy, Debug)]
pub(super) struct Follower {
    /// The place of the block before.
    place: usize,
    /// One step, forwards or backwards.
    step: usize,
}

impl Follower {
    /// On no trail.
    pub(super) const fn new() -> Self {
        Self { place: usize::MAX / 2, step: 1 }
    }

    /// Goes on to a block, and fetches what comes much later if it goes along a trail.
    #[inline(always)]
    pub(super) fn go_on(&mut self, to: usize, hints: &Hints, edges: &Edges, marks: &Marks) {
        if hints.block(self.place.wrapping_add(self.step)) != to {
            self.look_around(to, hints);
        }
        self.place = self.place.wrapping_add(self.step);
        let ahead = hints.block(self.place.wrapping_add(self.step.wrapping_mul(AHEAD)));
        edges.prefetch(ahead);
        marks.prefetch_cell(ahead);
        edges
            .prefetch_list(hints.block(self.place.wrapping_add(self.step.wrapping_mul(AHEAD / 2))));
    }

    /// Finds the block on the trails, and which way it is gone along.
    #[cold]
    #[inline(never)]
    fn look_around(&mut self, to: usize, hints: &Hints) {
        let place = (hints.places[to] as usize).wrapping_sub(1);
        let is_backwards = hints.block(place.wrapping_add(1)) == hints.block(self.place);
        self.step = if is_backwards { usize::MAX } else { 1 };
        self.place = place.wrapping_sub(self.step);
    }
}

fn atomic(words: &mut [u32]) -> &[AtomicU32] {
    let (start, len) = (words.as_mut_ptr().cast::<AtomicU32>(), words.len());
    // SAFETY: the same memory in the same layout, which is borrowed for as long.
    unsafe { core::slice::from_raw_parts(start, len) }
}

impl Ground<'_> {
    /// Walks, beginning at blocks of a part.
    fn walk(&self, part: &Part) {
        let share = part.numbers.len().div_ceil(WALKS).max(1);
        let begin = |number: usize| Walk {
            at: NONE,
            back: NONE,
            place: 0,
            end: 0,
            from: (part.numbers.start + number * share).min(part.numbers.end),
            to: (part.numbers.start + (number + 1) * share).min(part.numbers.end),
        };
        let mut walks: [Walk; WALKS] = core::array::from_fn(begin);
        let mut is_walking = true;
        while is_walking {
            is_walking = false;
            for walk in &mut walks {
                is_walking |= walk.step(self);
            }
        }
    }

    /// Whether a block is to be walked to: nothing has reached it, no root and no walk.
    #[inline(always)]
    fn is_fresh(&self, number: usize) -> bool {
        self.places[number].load(Ordering::Relaxed) == 0 && self.marks.is_unreached(number)
    }

    /// The first fresh block among these.
    fn next_fresh(&self, from: usize, to: usize) -> Option<usize> {
        let mut at = from;
        loop {
            at = self.marks.next_unreached(at).filter(|at| *at < to)?;
            if self.places[at].load(Ordering::Relaxed) == 0 {
                return Some(at);
            }
            at += 1;
        }
    }
}

impl Walk {
    /// Goes a step on; `false`: there is nowhere to go.
    #[inline(always)]
    fn step(&mut self, ground: &Ground<'_>) -> bool {
        if self.at == NONE || !ground.is_fresh(self.at as usize) {
            return self.begin(ground);
        }
        if self.place == self.end && !self.take_chunk(ground) {
            return false;
        }
        let at = self.at as usize;
        ground.trails[self.place].store(self.at, Ordering::Relaxed);
        self.place += 1;
        ground.places[at].store(self.place as u32, Ordering::Relaxed);
        let mut onward = ground.edges.from(at).into_iter().flatten();
        let next = onward.find(|edge| edge.target() as u32 != self.back);
        self.back = self.at;
        self.at = next.map_or(NONE, |edge| edge.target() as u32);
        if let Some(next) = next {
            self.fetch(next.target(), ground);
        }
        true
    }

    #[inline(always)]
    fn fetch(&self, next: usize, ground: &Ground<'_>) {
        ground.edges.prefetch(next);
        prefetch(ground.places.as_ptr().wrapping_add(next).addr());
    }

    #[cold]
    fn take_chunk(&mut self, ground: &Ground<'_>) -> bool {
        self.place = ground.taken.fetch_add(CHUNK, Ordering::Relaxed);
        self.end = self.place + CHUNK;
        self.end <= ground.trails.len()
    }

    fn begin(&mut self, ground: &Ground<'_>) -> bool {
        let next = ground.next_fresh(self.from, self.to);
        self.from = next.unwrap_or(self.to);
        self.at = next.map_or(NONE, |next| next as u32);
        self.back = NONE;
        if let Some(next) = next {
            self.fetch(next, ground);
        }
        next.is_some()
    }
}
