//! Marking: from the roots to all that they reach, word by word.
//!
//! Level by level, so that the holder a block remembers is on a shortest path from a root, which
//! is the one worth reading. The blocks of a level are known before the first of them is looked at:
//! they are brought into the order of their addresses ([`super::order`]), and their cells and
//! contents are fetched into the cache ahead of time, which is what keeps a heap of ten million
//! small blocks from costing a miss after the other.
//!
//! A pointer counts when it points at a block's first byte or anywhere into the bytes that were
//! asked for; behind them it does not.

use super::elsewhere::Elsewhere;
use super::marks::{Marks, Place};
use super::order::{self, Order};
use super::scratch::{NoMemory, Vector, Zero};
use super::terms::Kept;
use crate::mem::prefetch;
use crate::mem::scan::{Batch, Range, Scanner, WORD};
use crate::track::SiteId;
use crate::track::columns::Record;
use core::ptr;

/// A block to be looked into.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) span: u32,
    pub(super) index: u32,
    /// Where the pointer to it is.
    pub(super) holder: usize,
}

// SAFETY: numbers.
unsafe impl Zero for Found {}

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
    elsewhere: &'m mut E,
    scanner: Scanner,
    pub(super) range: Range,
    /// The next level.
    found: Vector<Found>,
    /// Pointed to by interior pointers, which are put off at first.
    deferred: Vector<Found>,
    /// Memory elsewhere to be scanned with the next level.
    pieces: Vector<Piece>,
    /// All memory elsewhere that was reached.
    visited: Vector<Piece>,
    follows_interior: bool,
    /// What is reached now depends on a pointer into the middle of a block.
    is_interior: bool,
    is_trusted: bool,
    is_unaligned: bool,
    /// Goes into the holders: [`Marks::IN_ROOT`] while what is scanned is no block.
    tag: usize,
    /// How many levels were looked into.
    steps: usize,
    /// What is reached now is held by a lost block of that site.
    beginning: Option<SiteId>,
}

/// Blocks of so many bytes are read word by word: for less than two vectors a loop is cheaper.
const SMALL: usize = 8 * WORD;
/// So many blocks ahead are fetched into the cache.
const AHEAD: usize = 24;

impl<'m, E: Elsewhere> Marker<'m, E> {
    pub(crate) fn new(marks: &'m mut Marks, elsewhere: &'m mut E, is_unaligned: bool) -> Self {
        let range = elsewhere.with_bounds(marks.range());
        Self {
            scanner: marks.scanner,
            marks,
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
            let (number, _) = self.marks.block(found.span, found.index);
            if self.marks.is_unreached(number) {
                self.reach(number, found)?;
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
        for (number, span) in self.marks.spans().iter().enumerate() {
            for index in self.marks.unreached_of(span) {
                if let Some(kept) = span.record(index).and_then(&kept) {
                    let found = Found { span: number as u32, index, holder: kept.holder() };
                    failed = failed.or(all.push(found).err());
                }
            }
        }
        failed.map_or(Ok(()), Err)?;
        for found in all.iter() {
            let (number, _) = self.marks.block(found.span, found.index);
            self.reach(number, *found)?;
        }
        Ok(())
    }

    /// Marks all that some blocks reach, which are lost and were allocated at one site.
    ///
    /// # Safety
    /// As [`Self::finish`].
    pub(super) unsafe fn flood(
        &mut self,
        site: SiteId,
        beginnings: impl Iterator<Item = Found>,
    ) -> Result<(), NoMemory> {
        self.beginning = Some(site);
        self.follows_interior = true;
        for found in beginnings {
            let (number, _) = self.marks.block(found.span, found.index);
            self.reach(number, found)?;
        }
        // SAFETY: the caller's.
        unsafe { self.mark() }
    }

    /// # Safety
    /// As [`Self::finish`].
    unsafe fn mark(&mut self) -> Result<(), NoMemory> {
        let mut batch = Batch::new();
        let mut level = Vector::new();
        let mut order = Order::new(self.marks.spans().len());
        self.steps = 0;
        loop {
            while let Some(piece) = self.pieces.pop() {
                self.visited.push(piece)?;
                // SAFETY: the caller's, and the promise of `Elsewhere`.
                unsafe { self.scan_root(piece, &mut batch)? };
            }
            core::mem::swap(&mut level, &mut self.found);
            if level.is_empty() {
                return Ok(());
            }
            for chunk in level.chunks(order::CHUNK) {
                let chunk = order.arrange(chunk)?;
                for (at, found) in chunk.iter().enumerate() {
                    if let Some(ahead) = chunk.get(at + AHEAD) {
                        self.fetch(*ahead);
                    }
                    // SAFETY: a block in use, which the caller says is mapped.
                    unsafe { self.look_into(*found, &mut batch)? };
                }
            }
            level.clear();
            self.steps += 1;
        }
    }

    #[inline(always)]
    fn fetch(&self, found: Found) {
        let (number, start) = self.marks.block(found.span, found.index);
        self.marks.prefetch_cell(number);
        prefetch(start);
    }

    /// Scans a block and remembers its holder.
    ///
    /// # Safety
    /// The block is mapped.
    #[inline(always)]
    unsafe fn look_into(&mut self, found: Found, batch: &mut Batch) -> Result<(), NoMemory> {
        let (number, from) = self.marks.block(found.span, found.index);
        let size = self.marks.hold(number, found.holder, self.steps) & !(WORD - 1);
        if let Some(site) = self.beginning {
            self.marks.set_beginning(number, site);
        }
        let to = from + size;
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
        // A short level has no blocks ahead to look to; those of a list wait for each other.
        if self.found.len() < AHEAD {
            prefetch(word);
        }
        let Some(place) = self.marks.find(word) else { return self.consider_elsewhere(word) };
        let holder = holder | self.tag;
        if place.offset != 0 {
            return self.consider_interior(holder, place);
        }
        if !self.marks.is_unreached(place.number) {
            return Ok(());
        }
        self.reach(place.number, Found { span: place.span, index: place.index, holder })
    }

    #[inline(always)]
    fn reach(&mut self, number: usize, found: Found) -> Result<(), NoMemory> {
        self.marks.set_reached(number);
        if self.found.len() < AHEAD {
            self.marks.prefetch_cell(number);
        }
        if self.is_interior {
            self.marks.set_interior(number);
        }
        self.found.push(found)
    }

    fn consider_interior(&mut self, holder: usize, place: Place) -> Result<(), NoMemory> {
        let number = place.number;
        if !self.marks.is_unreached(number) {
            return Ok(());
        }
        let size = self.marks.cell(number);
        if place.offset >= size && !self.is_array_cookie(place, size) {
            return Ok(());
        }
        let found = Found { span: place.span, index: place.index, holder };
        if self.follows_interior || self.is_trusted {
            self.reach(number, found)
        } else {
            self.deferred.push(found)
        }
    }

    /// Whether a block is a C++ array of nothing: `new T[0]`, where `T` has a destructor, allocates
    /// the word that says how many there are, and gives the address behind it. (Itanium C++ ABI,
    /// 2.7, array operator new cookies; LeakSanitizer knows it, too.)
    fn is_array_cookie(&self, place: Place, size: usize) -> bool {
        size == WORD
            && place.offset == WORD
            // SAFETY: the first word of a block in use.
            && unsafe { self.marks.word(place.start) } == 0
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
