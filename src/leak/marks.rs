//! The blocks of the program, numbered, with a cell and a few bits for each: what the marker knows
//! of them. None of it lies in a block.
//!
//! ```text
//!   address ── slice table ──▶ span ── one multiplication ──▶ index ──▶ number = first + index
//! ```
//!
//! A block's cell holds its size until it is reached, from the roots or from what is lost, and then
//! its *holder*: where the pointer to it was found, or the number of the block that this is in.
//! Numbers of a span begin at a multiple of 64, so that its bits are words of their own, and so
//! that a number's span follows from a table.

use super::scratch::{Bits, NoMemory, Vector};
use super::spans::{Place, Span};
use crate::heap::class::SLICE;
use crate::heap::frozen::Frozen;
use crate::heap::slab::Slab;
use crate::mem::prefetch;
use crate::mem::routines::dispatch::{Dispatch, Tier};
use crate::mem::scan::{Range, Scanner, WORD};
use crate::track::columns::Record;
use crate::track::{SiteId, Tracker};
use core::ptr;

/// A region of the heap: its addresses, and its part of the slice table.
#[derive(Clone, Copy, Debug)]
struct Extent {
    start: usize,
    len: usize,
    slices: usize,
}

/// The blocks. See the module.
#[derive(Debug)]
pub(crate) struct Marks {
    extents: Vector<Extent>,
    /// For each slice of the extents its span's place in `spans`, plus one; zero: none.
    slices: Vector<u32>,
    pub(super) spans: Vector<Span>,
    /// For each 64 numbers the span's place in `spans`.
    pub(super) owners: Vector<u32>,
    pub(super) cells: Vector<usize>,
    /// In use.
    pub(super) live: Bits,
    /// In use, and no pointer to it was found yet.
    unreached: Bits,
    /// Not reached from the roots.
    lost: Bits,
    /// Reached, but only by way of a pointer into the middle of a block, of this or another one.
    interior: Bits,
    /// For each block that something lost holds, the number of the site where that began.
    beginnings: Vector<u32>,
    range: Range,
    /// How words are looked for.
    pub(super) scanner: Scanner,
    /// How many blocks are in use.
    pub(super) count: usize,
    /// Where blocks cannot be read: from, to, ascending. See [`super::holes`].
    pub(super) holes: Vector<(usize, usize)>,
}

/// Numbers of a span begin at a multiple of this.
pub(super) const ALIGN: usize = u64::BITS as usize;

impl Marks {
    /// Bit of a holder: it is a word of a root. Words are aligned, so it is free.
    pub(crate) const IN_ROOT: usize = 1;
    /// In place of a holder: the block is of a cycle, whose number stands above the two bits.
    pub(crate) const CYCLE: usize = 2;
    /// Bit of a holder: it is the number of a block, which stands above the three bits.
    pub(crate) const BLOCK: usize = 4;
    const NUMBER: u32 = 3;
    /// From this bit on a holder tells how many steps the way to it has, or that they are more than
    /// fit. Addresses of programs have 47 bits, unless they ask for more.
    const STEPS: u32 = 48;
    const ADDRESS: usize = (1 << Self::STEPS) - 1;

    /// Numbers the blocks and finds those in use. `holes`: where the heap cannot be read.
    #[inline(never)]
    pub(crate) fn take(
        heap: &Frozen<'_, Tracker>,
        holes: &[(usize, usize)],
    ) -> Result<Self, NoMemory> {
        let (extents, slices) = extents_of(heap)?;
        let (mut spans, mut slabs, mut blocks) = (Vector::new(), Vector::new(), 0);
        let mut failed = None;
        heap.for_each_user_span(|slab| {
            let pushed = spans.push(Span::of(slab, blocks)).and(slabs.push(ptr::from_ref(slab)));
            failed = failed.or(pushed.err());
            blocks += (slab.capacity() as usize).next_multiple_of(ALIGN);
        });
        if let Some(error) = failed {
            return Err(error);
        }
        // The marker's queue holds numbers of 32 bits.
        u32::try_from(blocks).map_err(|_| NoMemory)?;
        let low = extents.iter().map(|extent| extent.start).min().unwrap_or(0);
        let end = extents.iter().map(|extent| extent.start + extent.len).max().unwrap_or(0);
        // Of the best that the processor has, if nobody wants less.
        let tier = heap.engine.memory().map_or(Tier::Avx512, Dispatch::tier);
        let mut marks = Self {
            extents,
            slices: Vector::zeroed(slices)?,
            spans,
            owners: Vector::zeroed(blocks / ALIGN)?,
            cells: Vector::zeroed(blocks)?,
            live: Bits::zeroed(blocks)?,
            unreached: Bits::zeroed(blocks)?,
            lost: Bits::zeroed(blocks)?,
            interior: Bits::zeroed(blocks)?,
            beginnings: Vector::zeroed(blocks)?,
            range: Range::between(low, end),
            scanner: Scanner::up_to(tier),
            count: 0,
            holes: Vector::new(),
        };
        marks.note_holes(holes)?;
        for (number, slab) in slabs.iter().enumerate() {
            // SAFETY: a span of the heap, which is frozen.
            marks.enter_slices(unsafe { &**slab }, number);
        }
        marks.find_live(heap, &slabs);
        marks.unreached.copy_from(&marks.live);
        Ok(marks)
    }

    fn enter_slices(&mut self, slab: &Slab, number: usize) {
        if let Some(first) = self.slice_of(slab.start() as usize) {
            let own = self.slices.get_mut(first..first + slab.slices());
            own.unwrap_or_default().fill(number as u32 + 1);
        }
    }

    /// Which entry of the slice table an address has.
    #[inline(always)]
    fn slice_of(&self, address: usize) -> Option<usize> {
        self.extents.iter().find_map(|extent| {
            let offset = address.wrapping_sub(extent.start);
            (offset < extent.len).then_some(extent.slices + offset / SLICE)
        })
    }

    /// All addresses of the heap, and perhaps others.
    pub(crate) fn range(&self) -> Range {
        self.range
    }

    /// The block, in use or not, that holds an address.
    #[inline(always)]
    pub(crate) fn find(&self, address: usize) -> Option<Place> {
        let slice = self.slice_of(address)?;
        let number = self.slices[slice].checked_sub(1)?;
        self.spans[number as usize].find(number, address)
    }

    /// The place of a block by its number.
    #[inline(always)]
    pub(crate) fn place(&self, number: usize) -> Place {
        let owner = self.owners[number / ALIGN];
        let span = &self.spans[owner as usize];
        span.place(owner, (number - span.first) as u32)
    }

    /// Whether a pointer to this place counts: it is to the first byte of a block or to one that
    /// was asked for, or the block is a C++ array of nothing: `new T[0]`, where `T` has a
    /// destructor, allocates the word that says how many there are, and gives the address behind
    /// it. (Itanium C++ ABI, 2.7, array operator new cookies; LeakSanitizer knows it, too.)
    ///
    /// # Safety
    /// The block was not reached yet, and if it is in use, it is mapped but for the holes.
    #[inline(always)]
    pub(super) unsafe fn counts(&self, place: Place) -> bool {
        let size = self.cell(place.number);
        place.offset == 0
            || place.offset < size
            || size == WORD
                && place.offset == WORD
                // SAFETY: a block of one word; one that is free has no size.
                && unsafe { self.word(place.start) } == 0
    }

    /// How many numbers there are.
    pub(super) fn len(&self) -> usize {
        self.cells.len()
    }

    /// How many blocks are in use.
    pub(super) fn count(&self) -> usize {
        self.count
    }

    pub(crate) fn spans(&self) -> &[Span] {
        &self.spans
    }

    /// What is recorded of the block at a place.
    pub(crate) fn record(&self, place: Place) -> Option<Record> {
        self.spans.get(place.span as usize)?.record(place.index)
    }

    /// Whether the block at a place is in use.
    pub(crate) fn is_live(&self, place: Place) -> bool {
        self.live.is_set(place.number)
    }

    /// Usable bytes of the block at a place.
    pub(crate) fn usable(&self, place: Place) -> usize {
        self.spans.get(place.span as usize).map_or(0, |span| span.block_size)
    }

    /// The block's cell.
    #[inline(always)]
    pub(crate) fn cell(&self, number: usize) -> usize {
        self.cells[number]
    }

    /// The bytes of a block that pointers are looked for in, whatever its cell holds.
    #[inline(always)]
    pub(super) fn size(&self, place: Place) -> usize {
        self.spans[place.span as usize].size(place.index)
    }

    /// The holder that a pointer somewhere in a block is.
    #[inline(always)]
    pub(super) const fn in_block(number: usize) -> usize {
        number << Self::NUMBER | Self::BLOCK
    }

    /// The block in which a holder says that the pointer is.
    pub(super) const fn block_in(holder: usize) -> usize {
        holder >> Self::NUMBER
    }

    /// Marks the block as held by a pointer at `holder`, so many steps from where the search began.
    #[inline(always)]
    pub(crate) fn hold(&mut self, number: usize, holder: usize, steps: usize) {
        self.cells[number] = Self::cell_of(holder, steps);
    }

    /// The cell of a block that a pointer at `holder` holds, so many steps from there.
    #[inline(always)]
    pub(super) fn cell_of(holder: usize, steps: usize) -> usize {
        let steps = steps.min(usize::MAX >> Self::STEPS) << Self::STEPS;
        let address = holder & Self::ADDRESS;
        if address == 0 { 0 } else { address | steps }
    }

    /// What changes when blocks are reached: cells, and the bits of the unreached and of those that
    /// are reached by interior pointers.
    pub(super) fn for_reaching(&mut self) -> (&mut [usize], &mut [u64], &mut [u64]) {
        (&mut self.cells, self.unreached.words(), self.interior.words())
    }

    /// Where the pointer to a block is, with its lowest bits; and how many steps the way to it has.
    pub(crate) fn held(&self, number: usize) -> (usize, usize) {
        let cell = self.cell(number);
        (cell & Self::ADDRESS, cell >> Self::STEPS)
    }

    pub(crate) fn set_cell(&mut self, number: usize, value: usize) {
        self.cells[number] = value;
    }

    #[inline(always)]
    pub(crate) fn is_unreached(&self, number: usize) -> bool {
        self.unreached.is_set(number)
    }

    #[inline(always)]
    pub(crate) fn set_reached(&mut self, number: usize) {
        self.unreached.clear(number);
    }

    #[inline(always)]
    pub(crate) fn set_interior(&mut self, number: usize) {
        self.interior.set(number);
    }

    pub(crate) fn is_interior(&self, number: usize) -> bool {
        self.interior.is_set(number)
    }

    /// What is unreached now is lost, and may be reached from what is lost.
    pub(crate) fn end_roots(&mut self) {
        self.lost.copy_from(&self.unreached);
    }

    pub(crate) fn is_lost(&self, number: usize) -> bool {
        self.lost.is_set(number)
    }

    /// Of a block that something lost holds: the site where that began.
    pub(crate) fn beginning(&self, number: usize) -> Option<SiteId> {
        SiteId::from_number(self.beginnings[number])
    }

    #[inline(always)]
    pub(crate) fn set_beginning(&mut self, number: usize, site: SiteId) {
        self.beginnings[number] = site.number();
    }

    /// No bits.
    pub(crate) fn no_bits(&self) -> Result<Bits, NoMemory> {
        Bits::zeroed(self.cells.len())
    }

    /// The first block at or behind a number that is not reached.
    pub(super) fn next_unreached(&self, from: usize) -> Option<usize> {
        self.unreached.next(from)
    }

    /// The unreached blocks of a span, by index, ascending.
    pub(crate) fn unreached_of(&self, span: &Span) -> impl Iterator<Item = u32> + use<'_> {
        self.unreached.ones(span.first, span.capacity as usize).map(|index| index as u32)
    }

    /// The blocks in use of a span, by index, ascending.
    pub(crate) fn live_of(&self, span: &Span) -> impl Iterator<Item = u32> + use<'_> {
        self.live.ones(span.first, span.capacity as usize).map(|index| index as u32)
    }

    /// Fetches the block's cell into the cache, if it will be written: without a branch, which
    /// nobody could predict.
    #[inline(always)]
    pub(super) fn prefetch_if_unreached(&self, number: usize) {
        self.prefetch_cell(number & usize::from(self.is_unreached(number)).wrapping_neg());
    }

    /// Fetches the block's cell into the cache.
    #[inline(always)]
    pub(crate) fn prefetch_cell(&self, number: usize) {
        prefetch(self.cells.as_ptr().wrapping_add(number).addr());
    }
}

fn extents_of(heap: &Frozen<'_, Tracker>) -> Result<(Vector<Extent>, usize), NoMemory> {
    let (mut extents, mut slices, mut failed) = (Vector::new(), 0, None);
    heap.for_each_extent(|start, len| {
        failed = failed.or(extents.push(Extent { start, len, slices }).err());
        slices += len.div_ceil(SLICE);
    });
    failed.map_or(Ok((extents, slices)), Err)
}
