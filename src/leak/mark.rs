//! Marking: from the roots to all that they reach.
//!
//! Level by level, so that the holder a block remembers is on a shortest path from a root, which
//! is the one worth reading. The blocks of a level are known before the first of them is looked at:
//! they are brought into the order of their addresses ([`super::order`]), and what will be needed
//! of them is fetched into the cache ahead of time. Of the levels of a list, which are a block
//! each, the [hints](super::hints) tell what will be needed.
//!
//! The pointers of most blocks are known as [edges](super::edges), if there are many blocks; the
//! others are looked into word by word.

use super::edges::Edges;
use super::elsewhere::Elsewhere;
use super::hints::Hints;
use super::marks::Marks;
use super::order::Order;
use super::scratch::{NoMemory, Vector};
use super::terms::Kept;
use crate::mem::prefetch;
use crate::mem::scan::{Batch, Range, Scanner, WORD};
use crate::track::SiteId;
use crate::track::columns::Record;
use core::ptr;

/// A block that something points to.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) number: usize,
    /// See [`Marks`].
    pub(super) holder: usize,
}

/// A piece of memory to be scanned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Marker<'m, E> {
    pub(super) marks: &'m mut Marks,
    pub(super) edges: Option<&'m Edges>,
    /// Once there are many levels.
    pub(super) hints: Option<Hints>,
    elsewhere: &'m mut E,
    scanner: Scanner,
    pub(super) range: Range,
    /// The next level, by number.
    pub(super) found: Vector<u32>,
    /// Pointed to by interior pointers, which are put off at first.
    pub(super) deferred: Vector<Found>,
    /// Memory elsewhere to be scanned with the next level.
    pieces: Vector<Piece>,
    /// All memory elsewhere that was reached.
    visited: Vector<Piece>,
    pub(super) follows_interior: bool,
    /// What is reached now depends on a pointer into the middle of a block.
    pub(super) is_interior: bool,
    is_trusted: bool,
    is_unaligned: bool,
    /// Goes into the holders: [`Marks::IN_ROOT`] while what is scanned is no block.
    tag: usize,
    /// How many steps from a root what is reached now is.
    pub(super) steps: usize,
    /// What is reached now is held by a lost block of that site.
    beginning: Option<SiteId>,
}

/// Blocks of so many bytes are read word by word: for less than two vectors a loop is cheaper.
const SMALL: usize = 8 * WORD;
/// Of a level with fewer blocks each is fetched into the cache as soon as it is found.
const AHEAD: usize = 24;

impl<'m, E: Elsewhere> Marker<'m, E> {
    pub(super) fn new(
        marks: &'m mut Marks,
        edges: Option<&'m Edges>,
        elsewhere: &'m mut E,
        is_unaligned: bool,
    ) -> Self {
        let range = elsewhere.with_bounds(marks.range());
        Self {
            scanner: marks.scanner,
            marks,
            edges,
            hints: None,
            elsewhere,
            range,
            found: Vector::new(),
            deferred: Vector::new(),
            pieces: Vector::new(),
            visited: Vector::new(),
            follows_interior: false,
            is_interior: false,
            is_trusted: false,
            is_unaligned,
            tag: 0,
            steps: 0,
            beginning: None,
        }
    }

    /// Looks for pointers in a root. `is_trusted`: where they point into the middle of a block,
    /// that is how its owner keeps them.
    ///
    /// # Safety
    /// `from..to` are whole words that can be read.
    pub(crate) unsafe fn root(
        &mut self,
        from: usize,
        to: usize,
        is_trusted: bool,
    ) -> Result<(), NoMemory> {
        self.is_trusted = is_trusted;
        // SAFETY: the caller's.
        let done = unsafe { self.scan_root(Piece { from, to }, &mut Batch::new()) };
        self.is_trusted = false;
        done
    }

    /// A root that does not count: neither does it when something points to it.
    pub(crate) fn pass_over(&mut self, address: usize) {
        let _passed_over = self.elsewhere.find(address);
    }

    /// # Safety
    /// As [`Self::root`].
    unsafe fn scan_root(&mut self, root: Piece, batch: &mut Batch) -> Result<(), NoMemory> {
        self.tag = Marks::IN_ROOT;
        // SAFETY: the caller's.
        let done = unsafe { self.scan(root.from, root.to, batch) };
        self.tag = 0;
        done
    }

    /// Marks all that the roots reach: first without interior pointers, so that it is known what
    /// depends on these. Then what is kept although no root reaches it, and all that this reaches.
    /// Gives the memory elsewhere that was among it.
    ///
    /// # Safety
    /// The blocks in use stay mapped, and so does the memory elsewhere.
    pub(super) unsafe fn finish(
        mut self,
        kept: impl Fn(Record) -> Option<Kept>,
    ) -> Result<Vector<Piece>, NoMemory> {
        // SAFETY: the caller's.
        unsafe { self.mark()? };
        self.follows_interior = true;
        self.is_interior = true;
        for at in 0..self.deferred.len() {
            let found = self.deferred[at];
            if self.marks.is_unreached(found.number) {
                self.reach(found)?;
            }
        }
        // SAFETY: as above.
        unsafe { self.mark()? };
        self.is_interior = false;
        self.keep(kept)?;
        // SAFETY: as above.
        unsafe { self.mark()? };
        Ok(self.visited)
    }

    /// Reaches what is kept for another reason than that something holds it.
    fn keep(&mut self, kept: impl Fn(Record) -> Option<Kept>) -> Result<(), NoMemory> {
        let (mut all, mut failed) = (Vector::new(), None);
        for span in self.marks.spans() {
            for index in self.marks.unreached_of(span) {
                if let Some(kept) = span.record(index).and_then(&kept) {
                    let number = span.first + index as usize;
                    let found = Found { number, holder: kept.holder() };
                    failed = failed.or(all.push(found).err());
                }
            }
        }
        failed.map_or(Ok(()), Err)?;
        all.iter().try_for_each(|found| self.reach(*found))
    }

    /// Marks all that some blocks reach, which are lost and were allocated at one site.
    ///
    /// # Safety
    /// As [`Self::finish`].
    pub(super) unsafe fn flood(
        &mut self,
        site: SiteId,
        mut beginnings: impl Iterator<Item = Found>,
    ) -> Result<(), NoMemory> {
        self.beginning = Some(site);
        self.follows_interior = true;
        beginnings.try_for_each(|found| self.reach(found))?;
        // SAFETY: the caller's.
        unsafe { self.mark() }
    }

    /// # Safety
    /// As [`Self::finish`].
    unsafe fn mark(&mut self) -> Result<(), NoMemory> {
        let mut batch = Batch::new();
        let mut level = Vector::new();
        let mut order = Order::new(self.marks.len());
        let mut wide = None;
        loop {
            while let Some(piece) = self.pieces.pop() {
                self.visited.push(piece)?;
                // SAFETY: the caller's, and the promise of `Elsewhere`.
                unsafe { self.scan_root(piece, &mut batch)? };
            }
            core::mem::swap(&mut level, &mut self.found);
            if level.is_empty() {
                self.steps = 0;
                return Ok(());
            }
            self.count_step();
            if let [only] = level[..] {
                // SAFETY: as below.
                unsafe { self.follow_chain(only as usize, &mut batch)? };
                level.clear();
                continue;
            }
            order.arrange(&mut level)?;
            // SAFETY: blocks in use, which the caller says are mapped.
            unsafe { self.look_into_level(&level, &mut wide, &mut batch)? };
            level.clear();
        }
    }

    /// Fetches what is needed to look into a block.
    #[inline(always)]
    fn fetch(&self, number: usize) {
        match self.edges {
            Some(edges) => edges.prefetch(number),
            None => prefetch(self.marks.place(number).start),
        }
    }

    /// Notes where the loss of a block began, if it is lost.
    #[inline(always)]
    pub(super) fn note_beginning(&mut self, number: usize) {
        if let Some(site) = self.beginning {
            self.marks.set_beginning(number, site);
        }
    }

    /// Follows the pointers of a block.
    ///
    /// # Safety
    /// The block is mapped.
    #[inline(always)]
    pub(super) unsafe fn look_into(
        &mut self,
        number: usize,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        self.note_beginning(number);
        let Some((edges, list)) = self.edges.and_then(|edges| Some((edges, edges.from(number)?)))
        else {
            // SAFETY: the caller's.
            return unsafe { self.look_in_place(number, batch) };
        };
        if let Some(hints) = &self.hints
            && self.found.len() < AHEAD
        {
            hints.fetch(number, edges, self.marks);
        }
        let holder = Marks::in_block(number);
        for edge in list {
            if self.marks.is_unreached(edge.target()) {
                self.follow(Found { number: edge.target(), holder }, edge.is_interior())?;
            }
        }
        Ok(())
    }

    /// # Safety
    /// The block is mapped.
    pub(super) unsafe fn look_in_place(
        &mut self,
        number: usize,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        let place = self.marks.place(number);
        let size = self.marks.size(place) & !(WORD - 1);
        let (from, to) = (place.start, place.start + size);
        if self.marks.has_holes() {
            // SAFETY: the caller's.
            return unsafe { self.scan_around_holes(from, to, batch) };
        }
        if size > SMALL || self.is_unaligned {
            // SAFETY: the caller's.
            return unsafe { self.scan(from, to, batch) };
        }
        for address in (from..to).step_by(WORD) {
            // SAFETY: as above.
            let word = unsafe { read(address) };
            if self.range.contains(word) {
                self.consider(address, word)?;
            }
        }
        Ok(())
    }

    /// # Safety
    /// `from..to` are whole words that can be read.
    pub(super) unsafe fn scan(
        &mut self,
        mut from: usize,
        to: usize,
        batch: &mut Batch,
    ) -> Result<(), NoMemory> {
        if self.is_unaligned {
            // SAFETY: the caller's.
            return unsafe { self.scan_bytewise(from, to) };
        }
        while from < to {
            // SAFETY: the caller's.
            from = unsafe { self.scanner.scan(from, to, self.range, batch) };
            for address in batch.hits() {
                // SAFETY: a word of what was just scanned.
                let word = unsafe { read(*address) };
                self.consider(*address, word)?;
            }
        }
        Ok(())
    }

    /// Follows a word that may be a pointer.
    #[inline(always)]
    pub(super) fn consider(&mut self, holder: usize, word: usize) -> Result<(), NoMemory> {
        let Some(place) = self.marks.find(word) else { return self.consider_elsewhere(word) };
        // SAFETY: blocks in use are mapped, say the callers of `root` and `finish`.
        if !self.marks.is_unreached(place.number) || !unsafe { self.marks.counts(place) } {
            return Ok(());
        }
        let found = Found { number: place.number, holder: holder | self.tag };
        self.follow(found, place.offset != 0)
    }

    /// Follows a pointer to a block that is not reached yet.
    #[inline(always)]
    pub(super) fn follow(&mut self, found: Found, is_interior: bool) -> Result<(), NoMemory> {
        if is_interior && !self.follows_interior && !self.is_trusted {
            return self.deferred.push(found);
        }
        self.reach(found)
    }

    #[inline(always)]
    fn reach(&mut self, found: Found) -> Result<(), NoMemory> {
        let Found { number, holder } = found;
        // A short level has no blocks ahead to look to; those of a list wait for each other.
        if self.found.len() < AHEAD {
            self.fetch(number);
        }
        self.enter(number, holder);
        self.found.push(number as u32)
    }

    /// Marks a block as reached, and notes its holder.
    #[inline(always)]
    pub(super) fn enter(&mut self, number: usize, holder: usize) {
        self.marks.set_reached(number);
        self.marks.hold(number, holder, self.steps);
        if self.is_interior {
            self.marks.set_interior(number);
        }
    }

    #[cold]
    fn consider_elsewhere(&mut self, word: usize) -> Result<(), NoMemory> {
        match self.elsewhere.find(word) {
            Some((from, to)) => self.pieces.push(Piece { from, to }),
            None => Ok(()),
        }
    }
}

/// # Safety
/// A word that can be read.
#[inline(always)]
pub(super) unsafe fn read(address: usize) -> usize {
    // SAFETY: the caller's. Volatile: its owner may not have been stopped, and any answer is fair.
    unsafe { ptr::with_exposed_provenance::<usize>(address).read_volatile() }
}
