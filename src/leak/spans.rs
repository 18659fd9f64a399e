//! The spans that blocks of the program lie in, and where in them an address points.

use crate::base::arith::Divisor;
use crate::heap::slab::{Kind, Slab};
use crate::track::columns::{Columns, Record};
use core::ptr;

/// What is known of a span, on a line of the cache.
#[derive(Clone, Copy, Debug)]
#[repr(align(64))]
pub(crate) struct Span {
    pub(super) start: usize,
    divisor: Divisor,
    pub(super) block_size: usize,
    /// Number of its first block.
    pub(crate) first: usize,
    pub(crate) capacity: u32,
    /// Null: its blocks are not tracked.
    columns: *const Columns,
}

impl Span {
    pub(super) fn of(slab: &Slab, first: usize) -> Self {
        // A pointer to a block of no bytes is one.
        let block_size = slab.usable_size().max(1);
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

    pub(super) fn is_tracked(&self) -> bool {
        !self.columns.is_null()
    }

    /// Where block `index` starts.
    #[inline(always)]
    pub(crate) fn block(&self, index: u32) -> usize {
        self.start + index as usize * self.block_size
    }

    /// The place of block `index`; `number` is the span's.
    #[inline(always)]
    pub(crate) fn place(&self, number: u32, index: u32) -> Place {
        Place {
            span: number,
            index,
            number: self.first + index as usize,
            start: self.block(index),
            offset: 0,
        }
    }

    /// Where an address points that may be in the span, whose number this is.
    #[inline(always)]
    pub(super) fn find(&self, number: u32, address: usize) -> Option<Place> {
        let offset = address.wrapping_sub(self.start);
        // A slab is at most 4 MiB long, and to the divisor of a large block all offsets are one.
        let index = self.divisor.quotient(offset as u32);
        let place = self.place(number, index);
        let offset = address.wrapping_sub(place.start);
        (index < self.capacity && offset < self.block_size).then_some(Place { offset, ..place })
    }

    /// What is recorded of block `index`, if it is in use and was observed.
    #[inline(always)]
    pub(crate) fn record(&self, index: u32) -> Option<Record> {
        self.columns().filter(|columns| index < columns.slots())?.read(index)
    }

    /// The bytes of block `index` that pointers are looked for in; none if it is tracked and free.
    #[inline(always)]
    pub(super) fn size(&self, index: u32) -> usize {
        if !self.is_tracked() {
            return self.block_size;
        }
        self.record(index).map_or(0, |record| record.size.min(self.block_size))
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
