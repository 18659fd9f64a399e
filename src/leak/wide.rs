//! A wide level: so many blocks that several threads look into them at once.
//!
//! The blocks lie in order, but what they point to lies anywhere, and noting the holder of each
//! where it belongs would be a miss for each. So edges are dealt out into buckets first, by the
//! addresses of their targets: what is known of the targets of a bucket stays in the cache until
//! the bucket is done.
//!
//! ```text
//!   level = share 0 │ share 1 │ …          each deals its edges into buckets of its own,
//!                                          until one of them is full
//!   bucket b: of share 0, of share 1, …    followed in this order by whoever has the targets
//! ```
//!
//! How many shares there are and what they deal in a round does not depend on how many threads
//! there are: so it is the same blocks that hold others, whoever has found out.

use super::edges::{Edge, Edges, WORDS};
use super::elsewhere::Elsewhere;
use super::mark::{Found, Marker};
use super::marks::Marks;
use super::parts;
use super::scratch::{NoMemory, Vector};
use crate::mem::prefetch;
use crate::mem::scan::Batch;

/// Parts of a level.
const SHARES: usize = 8;
const BUCKETS_LOG: u32 = 8;
const BUCKETS: usize = 1 << BUCKETS_LOG;
/// Parts of the targets, with several buckets each.
const REGIONS: usize = 32;
const OF_REGION: usize = BUCKETS / REGIONS;
/// Edges of a bucket; it is full when the edges of another block may not fit.
const ROOM: usize = if cfg!(test) { WORDS + (1 << 3) } else { 1 << 10 };
/// What is known of the targets of so many edges ahead is fetched.
const AHEAD: usize = 24;
/// Rounds of fewer edges are not worth a thread's beginning.
const WORTH: usize = if cfg!(test) { 1 << 3 } else { 1 << 16 };
/// Bits of a word of marks.
const BITS: u32 = u64::BITS;

/// What is needed for it.
#[derive(Debug)]
pub(super) struct Wide {
    /// So many low bits of a number are left out of that of its bucket.
    shift: u32,
    shares: [Share; SHARES],
    outcomes: [Outcome; REGIONS],
    is_worth_threads: bool,
}

/// A part of a level, and its buckets.
#[derive(Debug)]
struct Share {
    /// What is left of it.
    from: usize,
    to: usize,
    /// Edge and number of the block it begins at; [`ROOM`] for each bucket.
    edges: Vector<[u32; 2]>,
    counts: [u32; BUCKETS],
    /// Blocks that are to be read in place.
    in_place: Vector<u32>,
    done: Result<(), NoMemory>,
}

/// What a round has found in a region.
#[derive(Debug)]
struct Outcome {
    found: Vector<u32>,
    deferred: Vector<Found>,
    done: Result<(), NoMemory>,
}

/// The targets of some buckets, while pointers to them are followed.
struct Region<'r> {
    number: usize,
    /// Number of the first target.
    first: usize,
    cells: &'r mut [usize],
    unreached: &'r mut [u64],
    interior: &'r mut [u64],
    outcome: &'r mut Outcome,
}

/// How pointers are followed.
#[derive(Clone, Copy)]
struct Manner {
    follows_interior: bool,
    is_interior: bool,
    steps: usize,
}

impl Wide {
    /// For numbers below this.
    pub(super) fn new(numbers: usize) -> Result<Self, NoMemory> {
        let shift = (usize::BITS - numbers.leading_zeros()).saturating_sub(BUCKETS_LOG);
        let share = || Share {
            from: 0,
            to: 0,
            edges: Vector::new(),
            counts: [0; BUCKETS],
            in_place: Vector::new(),
            done: Ok(()),
        };
        let outcome = || Outcome { found: Vector::new(), deferred: Vector::new(), done: Ok(()) };
        let mut wide = Self {
            // The marks of a bucket are words of their own.
            shift: shift.max(BITS.trailing_zeros()),
            shares: core::array::from_fn(|_| share()),
            outcomes: core::array::from_fn(|_| outcome()),
            is_worth_threads: false,
        };
        for share in &mut wide.shares {
            share.edges = Vector::zeroed(ROOM << BUCKETS_LOG)?;
        }
        Ok(wide)
    }

    fn begin(&mut self, level: &[u32]) {
        let share = level.len().div_ceil(SHARES);
        for (number, own) in self.shares.iter_mut().enumerate() {
            own.from = (number * share).min(level.len());
            own.to = ((number + 1) * share).min(level.len());
        }
        self.is_worth_threads = level.len() >= WORTH;
    }

    fn is_done(&self) -> bool {
        self.shares.iter().all(|share| share.from == share.to)
    }

    /// Deals edges into the buckets, which are empty.
    fn deal(&mut self, level: &[u32], edges: &Edges) -> Result<(), NoMemory> {
        let shift = self.shift;
        let deal = |share: &mut Share| share.deal(level, edges, shift);
        match self.is_worth_threads {
            // SAFETY: each share is its own, and the rest is only read.
            true => unsafe { parts::each(&mut self.shares, deal) },
            false => self.shares.iter_mut().for_each(deal),
        }
        self.shares.iter().try_for_each(|share| share.done)
    }

    /// Empties the buckets: follows their edges.
    fn follow(&mut self, marks: &mut Marks, manner: Manner) {
        let (shift, shares) = (self.shift, &self.shares);
        let (mut cells, mut unreached, mut interior) = marks.for_reaching();
        let mut outcomes = self.outcomes.iter_mut();
        let targets = OF_REGION << shift;
        let mut regions: [Option<Region<'_>>; REGIONS] = core::array::from_fn(|number| {
            let words = targets / BITS as usize;
            Some(Region {
                number,
                first: number * targets,
                cells: split_off(&mut cells, targets),
                unreached: split_off(&mut unreached, words),
                interior: split_off(&mut interior, words),
                outcome: outcomes.next()?,
            })
        });
        let follow = |region: &mut Option<Region<'_>>| {
            let done = region.as_mut().map(|region| (region.follow(shares, manner), region));
            if let Some((done, region)) = done {
                region.outcome.done = done;
            }
        };
        match self.is_worth_threads {
            // SAFETY: each region is its own, and the rest is only read.
            true => unsafe { parts::each(&mut regions, follow) },
            false => regions.iter_mut().for_each(follow),
        }
        let counts =
            self.shares.iter_mut().map(|share| core::mem::replace(&mut share.counts, [0; BUCKETS]));
        let dealt: usize = counts.flatten().map(|count| count as usize).sum();
        self.is_worth_threads = dealt >= WORTH;
    }
}

/// The first `count` elements, or as many as there are.
fn split_off<'s, T>(rest: &mut &'s mut [T], count: usize) -> &'s mut [T] {
    let count = count.min(rest.len());
    rest.split_off_mut(..count).unwrap_or_default()
}

impl Share {
    fn deal(&mut self, level: &[u32], edges: &Edges, shift: u32) {
        while self.from < self.to && self.done.is_ok() {
            edges.prefetch_ahead(&level[self.from..]);
            let number = level[self.from];
            self.from += 1;
            let Some(list) = edges.from(number as usize) else {
                self.done = self.in_place.push(number);
                continue;
            };
            let mut is_full = false;
            for edge in list {
                is_full |= self.add(edge, number, shift);
            }
            if is_full {
                return;
            }
        }
    }

    /// Adds an edge; whether its bucket is full now.
    #[inline(always)]
    fn add(&mut self, edge: Edge, from: u32, shift: u32) -> bool {
        let bucket = edge.target() >> shift;
        let count = &mut self.counts[bucket];
        self.edges[bucket * ROOM + *count as usize] = [edge.number(), from];
        *count += 1;
        *count as usize > ROOM - WORDS
    }

    fn bucket(&self, bucket: usize) -> &[[u32; 2]] {
        &self.edges[bucket * ROOM..][..self.counts[bucket] as usize]
    }
}

impl Region<'_> {
    fn follow(&mut self, shares: &[Share], manner: Manner) -> Result<(), NoMemory> {
        for bucket in 0..OF_REGION {
            for share in shares {
                let edges = share.bucket(self.number * OF_REGION + bucket);
                for (at, [edge, from]) in edges.iter().enumerate() {
                    if let Some([ahead, _]) = edges.get(at + AHEAD) {
                        self.fetch(Edge::from_number(*ahead).target() - self.first);
                    }
                    let edge = Edge::from_number(*edge);
                    if self.is_unreached(edge.target() - self.first) {
                        let holder = Marks::in_block(*from as usize);
                        self.reach(edge, holder, manner)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// As [`Marker::follow`].
    #[inline(always)]
    fn reach(&mut self, edge: Edge, holder: usize, manner: Manner) -> Result<(), NoMemory> {
        let number = edge.target();
        if edge.is_interior() && !manner.follows_interior {
            return self.outcome.deferred.push(Found { number, holder });
        }
        let own = number - self.first;
        let (word, bit) = (own / BITS as usize, 1 << (own % BITS as usize));
        self.unreached[word] &= !bit;
        self.cells[own] = Marks::cell_of(holder, manner.steps);
        if manner.is_interior {
            self.interior[word] |= bit;
        }
        self.outcome.found.push(number as u32)
    }

    #[inline(always)]
    fn is_unreached(&self, own: usize) -> bool {
        self.unreached[own / BITS as usize] >> (own % BITS as usize) & 1 == 1
    }

    /// Fetches the cell into the cache, if it will be written: without a branch, which nobody could
    /// predict.
    #[inline(always)]
    fn fetch(&self, own: usize) {
        let own = own & usize::from(self.is_unreached(own)).wrapping_neg();
        prefetch(self.cells.as_ptr().wrapping_add(own).addr());
    }
}

impl<'m, E: Elsewhere> Marker<'m, E> {
    /// Follows the pointers of the blocks of a wide level.
    ///
    /// # Safety
    /// They are mapped.
    #[inline(never)]
    pub(super) unsafe fn look_into_all(
        &mut self,
        level: &[u32],
        edges: &'m Edges,
        wide: &mut Wide,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        level.iter().for_each(|number| self.note_beginning(*number as usize));
        let manner = Manner {
            follows_interior: self.follows_interior,
            is_interior: self.is_interior,
            steps: self.steps,
        };
        wide.begin(level);
        while !wide.is_done() {
            wide.deal(level, edges)?;
            wide.follow(self.marks, manner);
            for outcome in &mut wide.outcomes {
                outcome.done?;
                self.found.append(&mut outcome.found)?;
                self.deferred.append(&mut outcome.deferred)?;
            }
            for share in &mut wide.shares {
                for number in share.in_place.iter() {
                    // SAFETY: the caller's.
                    unsafe { self.look_in_place(*number as usize, batch)? };
                }
                share.in_place.clear();
            }
        }
        Ok(())
    }
}
