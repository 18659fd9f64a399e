//! Who points to whom, in a fifth of the memory: the pointers of all small blocks, by number.
//!
//! Following pointers through the heap costs two misses for each block, one for its page and one
//! for its line. So where there are many blocks all of them are read once, in the order of their
//! addresses, which costs next to nothing; and marking then needs their pointers alone.
//!
//! ```text
//!   starts[number] ─┬─▶ nothing
//!                   ├─▶ the only edge                    LAST | number of the target
//!                   ├─▶ lists[start ..= the last one]    number, number, LAST | number
//!                   └─▶ IN_PLACE: the block itself is to be read
//! ```
//!
//! Read in place are large blocks, which are as fast to read as their edges; those with holes;
//! those that point to memory elsewhere; and all that there was no room for.

use super::elsewhere::Elsewhere;
use super::mark::read;
use super::marks::Marks;
use super::parts::{self, Part, Parts};
use super::scratch::{NoMemory, Vector};
use super::spans::Place;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::mem::prefetch;
use crate::mem::scan::{Range, WORD};
use core::marker::PhantomData;
use core::slice;

/// See the module.
#[derive(Debug)]
pub(super) struct Edges {
    starts: Vector<u32>,
    lists: Vector<u32>,
}

/// A pointer from one block to another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Edge(u32);

impl Edge {
    pub(super) const fn from_number(number: u32) -> Self {
        Self(number)
    }

    /// All of it, as a number.
    pub(super) const fn number(self) -> u32 {
        self.0
    }

    /// The block that it leads to.
    #[inline(always)]
    pub(super) const fn target(self) -> usize {
        (self.0 & !(LAST | INTERIOR)) as usize
    }

    /// Whether it points into the middle.
    #[inline(always)]
    pub(super) const fn is_interior(self) -> bool {
        self.0 & INTERIOR != 0
    }
}

const LAST: u32 = 1 << 31;
const INTERIOR: u32 = 1 << 30;
/// More blocks than this have no numbers here.
const MOST: usize = (1 << 30) - 1;
const NOTHING: u32 = 0;
/// No block has the number.
const IN_PLACE: u32 = u32::MAX;

/// So many words of a block at most are looked at here.
pub(super) const WORDS: usize = 32;
/// So many bytes ahead memory is fetched: the processor by itself stops at the end of a page.
const AHEAD: usize = 2048;
/// And so many blocks ahead their edges.
const BLOCKS_AHEAD: usize = 24;
/// Lists have room for so many edges for each number,
const ROOM: usize = 4;
/// and are written in chunks of so many, each longer than a list.
const CHUNK: usize = if cfg!(test) { 1 << 6 } else { 1 << 14 };

impl Edges {
    /// So many blocks are worth it.
    pub(crate) const WORTH: usize = 1 << 15;

    /// Reads all blocks. `range`: where what they point to lies. `None`: there is no memory for it,
    /// or there are too many.
    ///
    /// # Safety
    /// No block was reached yet; those in use are mapped but for the holes.
    #[inline(never)]
    pub(super) unsafe fn of(
        marks: &Marks,
        elsewhere: &impl Elsewhere,
        range: Range,
    ) -> Option<Self> {
        let is_few = marks.len() <= MOST && marks.len() * ROOM + CHUNK < LAST as usize;
        let starts = is_few.then(|| Vector::zeroed(marks.len()).ok()).flatten()?;
        let lists = Vector::zeroed((marks.len() * ROOM).next_multiple_of(CHUNK)).ok()?;
        let mut edges = Self { starts, lists };
        let parts = Parts::of(marks.spans(), marks.len());
        let room = Room::of(&mut edges.lists);
        let mut starts = &mut edges.starts[..];
        let mut shares = parts.all.map(|part| {
            let starts = starts.split_off_mut(..part.numbers.len()).unwrap_or_default();
            Share { part, starts, room: &room, chunk: &mut [], from: 0, used: 0 }
        });
        // SAFETY: the shares have nothing in common that is written, but the room; the rest is the
        // caller's.
        unsafe {
            parts::each(&mut shares[..parts.used], |share| share.fill(marks, elsewhere, range));
        }
        Some(edges)
    }

    /// The edges of a block; `None`: it is to be read in place.
    #[inline(always)]
    pub(super) fn from(&self, number: usize) -> Option<List<'_>> {
        let start = self.starts[number];
        let (next, behind): (_, &[u32]) = match start {
            IN_PLACE => return None,
            NOTHING => (LAST, &[]),
            _ if start & LAST != 0 => (start, &[]),
            _ => self.lists[start as usize..].split_first().map_or((LAST, &[]), |it| (*it.0, it.1)),
        };
        Some(List { next: (start != NOTHING).then_some(next), behind })
    }

    /// Fetches what stands for a block's edges into the cache.
    #[inline(always)]
    pub(super) fn prefetch(&self, number: usize) {
        prefetch(self.starts.as_ptr().wrapping_add(number).addr());
    }

    /// Fetches the edges of the blocks that come behind the first one: what tells where they are,
    /// and then they.
    #[inline(always)]
    pub(super) fn prefetch_ahead(&self, blocks: &[u32]) {
        if let Some(ahead) = blocks.get(BLOCKS_AHEAD) {
            self.prefetch(*ahead as usize);
        }
        if let Some(ahead) = blocks.get(BLOCKS_AHEAD / 2) {
            self.prefetch_list(*ahead as usize);
        }
    }

    /// Fetches a block's edges into the cache, if they are a list, and what tells so is there.
    #[inline(always)]
    pub(super) fn prefetch_list(&self, number: usize) {
        let start = self.starts[number];
        if start & LAST == 0 {
            prefetch(self.lists.as_ptr().wrapping_add(start as usize).addr());
        }
    }
}

/// The edges of a block.
#[derive(Clone, Copy, Debug)]
pub(super) struct List<'e> {
    next: Option<u32>,
    behind: &'e [u32],
}

impl Iterator for List<'_> {
    type Item = Edge;

    #[inline(always)]
    fn next(&mut self) -> Option<Edge> {
        let edge = self.next?;
        self.next = None;
        if edge & LAST == 0
            && let Some((next, behind)) = self.behind.split_first()
        {
            (self.next, self.behind) = (Some(*next), behind);
        }
        Some(Edge(edge))
    }
}

/// The lists while they are filled: chunks of them, each for one part.
#[derive(Debug)]
struct Room<'e> {
    chunks: *mut u32,
    len: usize,
    taken: AtomicUsize,
    lists: PhantomData<&'e mut [u32]>,
}

impl<'e> Room<'e> {
    fn of(lists: &'e mut [u32]) -> Self {
        let (chunks, len) = (lists.as_mut_ptr(), lists.len());
        Self { chunks, len, taken: AtomicUsize::new(0), lists: PhantomData }
    }

    /// A chunk that nobody has, and where it begins.
    #[cold]
    fn take(&self) -> Result<(usize, &'e mut [u32]), NoMemory> {
        let from = self.taken.fetch_add(CHUNK, Ordering::Relaxed);
        if from + CHUNK > self.len {
            return Err(NoMemory);
        }
        // SAFETY: within the lists, which are borrowed as long as `'e`, and handed out once.
        Ok((from, unsafe { slice::from_raw_parts_mut(self.chunks.add(from), CHUNK) }))
    }
}

/// A part of the blocks, while their edges are gathered.
struct Share<'e> {
    part: Part,
    starts: &'e mut [u32],
    room: &'e Room<'e>,
    /// What lists are written to; it begins at `from`, and so much of it is used.
    chunk: &'e mut [u32],
    from: usize,
    used: usize,
}

impl Share<'_> {
    /// # Safety
    /// As [`Edges::of`].
    unsafe fn fill(&mut self, marks: &Marks, elsewhere: &impl Elsewhere, range: Range) {
        let mut found = Found { edges: [0; WORDS], count: 0 };
        for number in self.part.spans.clone() {
            let span = &marks.spans()[number];
            let first = span.first - self.part.numbers.start;
            if span.block_size > WORDS * WORD {
                self.starts[first..first + span.capacity as usize].fill(IN_PLACE);
                continue;
            }
            for index in marks.live_of(span) {
                let place = span.place(number as u32, index);
                prefetch(place.start.wrapping_add(AHEAD));
                // SAFETY: the caller's.
                let is_told = unsafe { found.read(marks, elsewhere, range, place) };
                let start = if is_told { self.keep(found.edges()) } else { Err(NoMemory) };
                self.starts[first + index as usize] = start.unwrap_or(IN_PLACE);
            }
        }
    }

    /// Appends a list, if it is one; what stands for it.
    #[inline(always)]
    fn keep(&mut self, edges: &[u32]) -> Result<u32, NoMemory> {
        let last = match edges {
            [] => return Ok(NOTHING),
            [only] => return Ok(*only | LAST),
            [.., last] => *last,
        };
        if self.chunk.len() < self.used + edges.len() {
            (self.from, self.chunk) = self.room.take()?;
            // A list that begins at zero would look like none.
            self.used = usize::from(self.from == 0);
        }
        let list = &mut self.chunk[self.used..self.used + edges.len()];
        list.copy_from_slice(edges);
        list[edges.len() - 1] = last | LAST;
        let start = self.from + self.used;
        self.used += edges.len();
        Ok(start as u32)
    }
}

/// The edges found in one block.
struct Found {
    edges: [u32; WORDS],
    count: usize,
}

impl Found {
    fn edges(&self) -> &[u32] {
        self.edges.get(..self.count).unwrap_or_default()
    }

    /// Reads a block. `false`: it cannot be told by edges.
    ///
    /// # Safety
    /// As [`Edges::of`].
    #[inline(always)]
    unsafe fn read(
        &mut self,
        marks: &Marks,
        elsewhere: &impl Elsewhere,
        range: Range,
        from: Place,
    ) -> bool {
        self.count = 0;
        let (start, end) = (from.start, from.start + (marks.cell(from.number) & !(WORD - 1)));
        if marks.has_holes() && marks.next_readable(start, end) != Some((start, end)) {
            return false;
        }
        for address in (start..end).step_by(WORD) {
            // SAFETY: a word of a block in use, without holes.
            let word = unsafe { read(address) };
            if !range.contains(word) {
                continue;
            }
            let Some(to) = marks.find(word) else {
                if elsewhere.holds(word) {
                    return false;
                }
                continue;
            };
            // SAFETY: the caller's.
            if to.number != from.number && unsafe { marks.counts(to) } {
                let interior = if to.offset == 0 { 0 } else { INTERIOR };
                let Some(place) = self.edges.get_mut(self.count) else { return false };
                *place = to.number as u32 | interior;
                self.count += 1;
            }
        }
        true
    }
}
