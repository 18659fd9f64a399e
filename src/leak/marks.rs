//! The blocks of the program, numbered, with a cell and a few bits for each: what the marker knows
//! of them. None of it lies in a block.
//!
//! ```text
//!   address ── slice table ──▶ span ── one multiplication ──▶ index ──▶ number = first + index
//! ```
//!
//! A block's cell holds its size until it is reached, from the roots or from what is lost, and then
//! where the pointer to it was found, its *holder*. Numbers of a span begin at a multiple of 64, so
//! that its bits are words of their own.

use super::scratch::{Bits, NoMemory, Vector};
use crate::base::arith::Divisor;
use crate::heap::class::SLICE;
use crate::heap::frozen::Frozen;
use crate::heap::slab::{Kind, Slab};
use crate::mem::prefetch;
use crate::mem::scan::Range;
use crate::track::columns::{Columns, Record};
use crate::track::{SiteId, Tracker};
use core::ptr;

/// What is known of a span.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span {
    start: usize,
    divisor: Divisor,
    block_size: usize,
    /// Number of its first block.
    pub(crate) first: usize,
    pub(crate) capacity: u32,
    /// Null: its blocks are not tracked.
    columns: *const Columns,
}

impl Span {
    fn of(slab: &Slab, first: usize) -> Self {
        let block_size = slab.usable_size();
        let divisor = match slab.kind() {
            Kind::Slab => Divisor::new(block_size as u32),
            _ => Divisor::INFINITY,
        };
        let columns = Columns::of(slab).map_or(ptr::null(), ptr::from_ref);
        let (start, capacity) = (slab.block(0).expose_provenance(), slab.capacity());
        Self { start, divisor, block_size, first, capacity, columns }
    }

    fn columns(&self) -> Option<&Columns> {
        // SAFETY: null, or the columns of a span that stays what it is while the heap is frozen.
        unsafe { self.columns.as_ref() }
    }

    /// Where block `index` starts.
    #[inline(always)]
    pub(crate) fn block(&self, index: u32) -> usize {
        self.start + index as usize * self.block_size
    }

    /// The place of block `index`; `number` is the span's.
    pub(crate) fn place(&self, number: u32, index: u32) -> Place {
        Place {
            span: number,
            index,
            number: self.first + index as usize,
            start: self.block(index),
            offset: 0,
        }
    }

    /// What is recorded of block `index`, if it is in use and was observed.
    pub(crate) fn record(&self, index: u32) -> Option<Record> {
        self.columns().filter(|columns| index < columns.slots())?.read(index)
    }
}

/// Where an address points.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) span: u32,
    pub(crate) index: u32,
    pub(crate) number: usize,
    /// Start of the block.
    pub(crate) start: usize,
    /// Bytes from there to the address.
    pub(crate) offset: usize,
}

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
    spans: Vector<Span>,
    cells: Vector<usize>,
    /// In use.
    live: Bits,
    /// In use, and no pointer to it was found yet.
    unreached: Bits,
    /// Not reached from the roots.
    lost: Bits,
    /// Reached, but only by way of a pointer into the middle of a block, of this or another one.
    interior: Bits,
    /// For each block that something lost holds, the number of the site where that began.
    beginnings: Vector<u32>,
    range: Range,
    /// Where blocks cannot be read: from, to, ascending. See [`super::holes`].
    pub(super) holes: Vector<(usize, usize)>,
}

const ALIGN: usize = u64::BITS as usize;

impl Marks {
    /// Bit of a holder: it is a word of a root. Words are aligned, so it is free.
    pub(crate) const IN_ROOT: usize = 1;
    /// In place of a holder: the block is of a cycle, whose number stands above the two bits.
    pub(crate) const CYCLE: usize = 2;
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
        let (mut spans, mut blocks, mut failed) = (Vector::new(), 0, None);
        heap.for_each_user_span(|slab| {
            let pushed = spans.push(Span::of(slab, blocks));
            failed = failed.or(pushed.err());
            blocks += (slab.capacity() as usize).next_multiple_of(ALIGN);
        });
        if let Some(error) = failed {
            return Err(error);
        }
        let low = extents.iter().map(|extent| extent.start).min().unwrap_or(0);
        let end = extents.iter().map(|extent| extent.start + extent.len).max().unwrap_or(0);
        let mut marks = Self {
            extents,
            slices: Vector::zeroed(slices)?,
            spans,
            cells: Vector::zeroed(blocks)?,
            live: Bits::zeroed(blocks)?,
            unreached: Bits::zeroed(blocks)?,
            lost: Bits::zeroed(blocks)?,
            interior: Bits::zeroed(blocks)?,
            beginnings: Vector::zeroed(blocks)?,
            range: Range::between(low, end),
            holes: Vector::new(),
        };
        marks.note_holes(holes)?;
        let mut number = 0;
        heap.for_each_user_span(|slab| {
            marks.enter_slices(slab, number);
            marks.find_live(heap, slab, number);
            number += 1;
        });
        marks.unreached.copy_from(&marks.live);
        Ok(marks)
    }

    fn enter_slices(&mut self, slab: &Slab, number: usize) {
        if let Some(first) = self.slice_of(slab.start() as usize) {
            let own = self.slices.get_mut(first..first + slab.slices());
            own.unwrap_or_default().fill(number as u32 + 1);
        }
    }

    fn find_live(&mut self, heap: &Frozen<'_, Tracker>, slab: &Slab, number: usize) {
        let Some(span) = self.spans.get(number).copied() else { return };
        for index in 0..span.capacity {
            let size = match span.columns() {
                Some(_) => span.record(index).map(|record| record.size.min(span.block_size)),
                // What cannot be read is not free: the heap would have done so.
                None if self.is_hole(span.block(index)) => Some(span.block_size),
                None => heap.is_in_use(slab, index).then_some(span.block_size),
            };
            if let Some(size) = size {
                self.live.set(span.first + index as usize);
                self.cells[span.first + index as usize] = size;
            }
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
        let span = &self.spans[number as usize];
        let offset = address.wrapping_sub(span.start);
        // A slab is at most 4 MiB long, and to the divisor of a large block all offsets are one.
        let index = span.divisor.quotient(offset as u32);
        let start = span.block(index);
        let offset = address.wrapping_sub(start);
        let place =
            Place { span: number, index, number: span.first + index as usize, start, offset };
        (index < span.capacity && offset < span.block_size).then_some(place)
    }

    /// Number and start of block `index` of span `span`.
    #[inline(always)]
    pub(crate) fn block(&self, span: u32, index: u32) -> (usize, usize) {
        let span = &self.spans[span as usize];
        (span.first + index as usize, span.block(index))
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

    /// Marks the block as held by a pointer at `holder`, so many steps from where the search began;
    /// the size it had.
    #[inline(always)]
    pub(crate) fn hold(&mut self, number: usize, holder: usize, steps: usize) -> usize {
        let steps = steps.min(usize::MAX >> Self::STEPS) << Self::STEPS;
        let address = holder & Self::ADDRESS;
        self.set_cell(number, if address == 0 { 0 } else { address | steps })
    }

    /// Where the pointer to a block is, with its lowest bits; and how many steps the way to it has.
    pub(crate) fn held(&self, number: usize) -> (usize, usize) {
        let cell = self.cell(number);
        (cell & Self::ADDRESS, cell >> Self::STEPS)
    }

    #[inline(always)]
    pub(crate) fn set_cell(&mut self, number: usize, value: usize) -> usize {
        core::mem::replace(&mut self.cells[number], value)
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

    /// The unreached blocks of a span, by index, ascending.
    pub(crate) fn unreached_of(&self, span: &Span) -> impl Iterator<Item = u32> + use<'_> {
        self.unreached.ones(span.first, span.capacity as usize).map(|index| index as u32)
    }

    /// The blocks in use of a span, by index, ascending.
    pub(crate) fn live_of(&self, span: &Span) -> impl Iterator<Item = u32> + use<'_> {
        self.live.ones(span.first, span.capacity as usize).map(|index| index as u32)
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
