//! The blocks of a level, looked into one after the other. Those that come next are known: what
//! will be needed of them is fetched into the cache ahead of time.
//!
//! The blocks of a wide level lie in order, but what they point to lies anywhere, and noting the
//! holder of each where it belongs would be a miss for each. So edges are dealt out into buckets
//! first, by the addresses of their targets: what is known of the targets of a bucket stays in the
//! cache until the bucket is done.

use super::edges::{Edge, Edges};
use super::elsewhere::Elsewhere;
use super::hints::Hints;
use super::mark::{Found, Marker};
use super::marks::Marks;
use super::order;
use super::scratch::{NoMemory, Vector};
use crate::mem::prefetch;
use crate::mem::scan::Batch;

/// What is known of the targets of blocks so far ahead is fetched.
const AHEAD: usize = 24;

const BUCKETS_LOG: u32 = 8;
/// Most edges of a bucket; a full one is emptied.
const ROOM: usize = if cfg!(test) { 1 << 3 } else { 1 << 13 };

/// The buckets.
#[derive(Debug)]
pub(super) struct Buckets {
    /// So many low bits of a number are left out.
    shift: u32,
    /// Edge and number of the block it begins at; [`ROOM`] for each bucket.
    edges: Vector<[u32; 2]>,
    counts: [usize; 1 << BUCKETS_LOG],
}

impl Buckets {
    /// For numbers below this.
    fn new(numbers: usize) -> Result<Self, NoMemory> {
        let shift = (usize::BITS - numbers.leading_zeros()).saturating_sub(BUCKETS_LOG);
        let edges = Vector::zeroed(ROOM << BUCKETS_LOG)?;
        Ok(Self { shift, edges, counts: [0; 1 << BUCKETS_LOG] })
    }

    /// Adds an edge; its bucket, if that is full now.
    #[inline(always)]
    fn add(&mut self, edge: Edge, from: usize) -> Option<usize> {
        let bucket = edge.target() >> self.shift;
        let count = &mut self.counts[bucket];
        self.edges[bucket * ROOM + *count] = [edge.number(), from as u32];
        *count += 1;
        (*count == ROOM).then_some(bucket)
    }

    /// Empties a bucket.
    fn take(&mut self, bucket: usize) -> &[[u32; 2]] {
        let count = core::mem::take(&mut self.counts[bucket]);
        &self.edges[bucket * ROOM..][..count]
    }
}

impl<'m, E: Elsewhere> Marker<'m, E> {
    /// # Safety
    /// The blocks are mapped.
    #[inline(always)]
    pub(super) unsafe fn look_into_level(
        &mut self,
        level: &[u32],
        buckets: &mut Option<Buckets>,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        if self.is_wide(level, buckets)
            && let (Some(edges), Some(buckets)) = (self.edges, buckets)
        {
            // SAFETY: the caller's.
            return unsafe { self.look_into_all(level, edges, buckets, batch) };
        }
        for at in 0..level.len() {
            self.fetch_ahead(&level[at..]);
            // SAFETY: the caller's.
            unsafe { self.look_into(level[at] as usize, batch)? };
        }
        Ok(())
    }

    /// Fetches what is needed to look into the blocks behind the first one, and what is known of
    /// the blocks that they lead to.
    #[inline(always)]
    fn fetch_ahead(&self, level: &[u32]) {
        let Some(edges) = self.edges else {
            if let Some(ahead) = level.get(AHEAD) {
                prefetch(self.marks.place(*ahead as usize).start);
            }
            return;
        };
        edges.prefetch_ahead(level);
        if let Some(ahead) = level.get(AHEAD / 4) {
            let list = edges.from(*ahead as usize).into_iter().flatten();
            list.for_each(|edge| self.marks.prefetch_if_unreached(edge.target()));
        }
    }

    #[cold]
    pub(super) fn ask_for_hints(&mut self) {
        if let (Some(edges), None) = (self.edges, &self.hints) {
            // Without memory for them it takes longer.
            self.hints = Hints::of(edges, self.marks).ok();
        }
    }

    /// Whether a level is wide. The buckets are made for the first one.
    fn is_wide(&self, level: &[u32], buckets: &mut Option<Buckets>) -> bool {
        if self.edges.is_none() || !order::is_worth_it(level.len(), self.marks.len()) {
            return false;
        }
        if buckets.is_none() {
            // Without memory for them it takes longer.
            *buckets = Buckets::new(self.marks.len()).ok();
        }
        buckets.is_some()
    }

    /// Follows the pointers of the blocks of a wide level.
    ///
    /// # Safety
    /// They are mapped.
    #[inline(never)]
    unsafe fn look_into_all(
        &mut self,
        level: &[u32],
        edges: &'m Edges,
        buckets: &mut Buckets,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        for (at, number) in level.iter().enumerate() {
            edges.prefetch_ahead(&level[at..]);
            let number = *number as usize;
            self.note_beginning(number);
            let Some(list) = edges.from(number) else {
                // SAFETY: the caller's.
                unsafe { self.look_in_place(number, batch)? };
                continue;
            };
            for edge in list {
                if let Some(full) = buckets.add(edge, number) {
                    self.follow_all(buckets.take(full))?;
                }
            }
        }
        (0..1 << BUCKETS_LOG).try_for_each(|bucket| self.follow_all(buckets.take(bucket)))
    }

    fn follow_all(&mut self, edges: &[[u32; 2]]) -> Result<(), NoMemory> {
        for (at, [edge, from]) in edges.iter().enumerate() {
            if let Some([ahead, _]) = edges.get(at + AHEAD) {
                self.marks.prefetch_if_unreached(Edge::from_number(*ahead).target());
            }
            let edge = Edge::from_number(*edge);
            if self.marks.is_unreached(edge.target()) {
                let holder = Marks::in_block(*from as usize);
                self.follow(Found { number: edge.target(), holder }, edge.is_interior())?;
            }
        }
        Ok(())
    }
}
