//! What will be marked soon, where there is little to do at a time.
//!
//! Of a list one block must be known before the next one is, so its edges would arrive from memory
//! one after the other. But many walks that begin at different places, side by side, wait together;
//! and what they note helps whoever then goes along the list: for each block the one that they met
//! [`STRIDE`] steps later, and the one so many steps before, because nobody knows which way a list
//! will be gone along.
//!
//! These are hints: what they say is fetched into the cache, and means nothing else.

use super::edges::Edges;
use super::marks::Marks;
use super::scratch::{Bits, NoMemory, Vector};
use crate::mem::prefetch;

/// See the module.
#[derive(Debug)]
pub(super) struct Hints {
    /// For each block the two; a block without one has zero in its place.
    pub(super) pairs: Vector<[u32; 2]>,
}

/// So many walks go on side by side.
const WALKS: usize = 16;
/// A power of two.
pub(super) const STRIDE: usize = if cfg!(test) { 4 } else { 32 };
const NONE: u32 = u32::MAX;

/// A walk along the first edges that do not lead back.
#[derive(Clone, Copy, Debug)]
struct Walk {
    /// The block that is next; [`NONE`]: a new beginning is to be looked for.
    at: u32,
    /// The last blocks that were met, in a ring.
    ring: [u32; STRIDE],
    met: usize,
    /// Beginnings are looked for from here on, up to there.
    from: usize,
    to: usize,
}

impl Hints {
    /// Walks through all blocks that are not reached yet.
    #[inline(never)]
    pub(super) fn of(edges: &Edges, marks: &Marks) -> Result<Self, NoMemory> {
        let mut hints = Self { pairs: Vector::zeroed(marks.len())? };
        let mut fresh = marks.unreached_now()?;
        let share = marks.len().div_ceil(WALKS).max(1);
        let begin = |number: usize| Walk {
            at: NONE,
            ring: [NONE; STRIDE],
            met: 0,
            from: (number * share).min(marks.len()),
            to: ((number + 1) * share).min(marks.len()),
        };
        let mut walks: [Walk; WALKS] = core::array::from_fn(begin);
        let mut is_walking = true;
        while is_walking {
            is_walking = false;
            for walk in &mut walks {
                is_walking |= walk.step(edges, &mut fresh, &mut hints);
            }
        }
        Ok(hints)
    }

    /// Notes that a block comes so many steps behind another one.
    #[inline(always)]
    fn note(&mut self, before: u32, behind: u32) {
        self.pairs[before as usize][0] = behind;
        self.pairs[behind as usize][1] = before;
    }

    #[inline(always)]
    fn prefetch(&self, number: usize) {
        prefetch(self.pairs.as_ptr().wrapping_add(number).addr());
    }

    /// Fetches what will be needed when this block's turn is past.
    #[inline(always)]
    pub(super) fn fetch(&self, number: usize, edges: &Edges, marks: &Marks) {
        for hint in self.pairs[number] {
            let hint = hint as usize;
            if marks.is_unreached(hint) {
                edges.prefetch(hint);
                marks.prefetch_cell(hint);
                self.prefetch(hint);
            }
        }
    }
}

impl Walk {
    /// Goes a step on; `false`: there is nowhere to go.
    #[inline(always)]
    fn step(&mut self, edges: &Edges, fresh: &mut Bits, hints: &mut Hints) -> bool {
        if self.at == NONE || !fresh.is_set(self.at as usize) {
            return self.begin(edges, fresh);
        }
        let at = self.at;
        fresh.clear(at as usize);
        let back = self.ring[self.met.wrapping_sub(1) % STRIDE];
        let last = core::mem::replace(&mut self.ring[self.met % STRIDE], at);
        self.met += 1;
        if last != NONE {
            hints.note(last, at);
        }
        let mut onward = edges.from(at as usize).into_iter().flatten();
        let next = onward.find(|edge| edge.target() as u32 != back);
        self.at = next.map_or(NONE, |edge| edge.target() as u32);
        if let Some(next) = next {
            edges.prefetch(next.target());
            hints.prefetch(next.target());
        }
        true
    }

    fn begin(&mut self, edges: &Edges, fresh: &Bits) -> bool {
        let next = fresh.next(self.from).filter(|next| *next < self.to);
        self.from = next.unwrap_or(self.to);
        self.at = next.map_or(NONE, |next| next as u32);
        self.ring = [NONE; STRIDE];
        if let Some(next) = next {
            edges.prefetch(next);
        }
        next.is_some()
    }
}
