//! Sums: of sites over chunks, of classes over shards.

use super::ReadError;
use super::outline::Outline;
use super::record::{Flow, Plain, Record, field};
use super::source::Source;
use crate::base::sync::AtomicU64;
use crate::format::layout::{
    CHUNK_CELLS, CLASSES, Cell, Chunk, ClassCell, Header, LIFETIMES, SectionId, Shard, Shared,
};
use crate::format::snapshot::{Class, Counters, Site};
use core::mem::offset_of;
use std::vec;
use std::vec::Vec;

/// A difference of counters that grow apart for a moment, or are damaged: not below zero.
pub(super) fn clamped(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

fn clamped_difference(added: u64, taken: u64) -> u64 {
    clamped(added.wrapping_sub(taken).cast_signed())
}

/// Values that all threads write.
#[derive(Clone, Copy, Debug)]
pub(super) struct Process {
    pub(super) peak_bytes: u64,
    pub(super) peak_blocks: u64,
    peak_epoch: u32,
    pub(super) peak_clock: u64,
    pub(super) clock: u64,
}

impl Process {
    pub(super) fn of(outline: &Outline) -> Self {
        let shared = outline.header().from(offset_of!(Header, shared));
        Self {
            peak_bytes: clamped(field!(shared, Shared, peak_bytes)),
            peak_blocks: clamped(field!(shared, Shared, peak_blocks)),
            peak_epoch: field!(shared, Shared, peak_epoch),
            peak_clock: field!(shared, Shared, peak_clock),
            clock: field!(shared, Shared, clock),
        }
    }
}

/// What the shards say.
#[derive(Debug)]
pub(super) struct Shards {
    /// Of each: its sums over classes, and the thread that writes it.
    pub(super) each: Vec<(Flow, u32)>,
    pub(super) total: Flow,
    pub(super) temporary: u64,
    pub(super) reallocations: u64,
    classes: [Flow; CLASSES],
}

impl Shards {
    pub(super) fn read(
        source: &(impl Source + ?Sized),
        outline: &Outline,
    ) -> Result<Self, ReadError> {
        let mut sums = Self {
            each: Vec::new(),
            total: Flow::default(),
            temporary: 0,
            reallocations: 0,
            classes: [Flow::default(); CLASSES],
        };
        source.each(&outline.of(SectionId::Shards), size_of::<Shard>(), &mut |_, bytes| {
            sums.add(Record(bytes));
        })?;
        Ok(sums)
    }

    fn add(&mut self, shard: Record<'_>) {
        let mut own = Flow::default();
        for (index, class) in self.classes.iter_mut().enumerate() {
            let place = offset_of!(Shard, classes) + index * size_of::<ClassCell>();
            let flow = ClassCell::read(shard.from(place));
            *class = class.plus(flow);
            own = own.plus(flow);
        }
        self.each.push((own, field!(shard, Shard, thread)));
        self.total = self.total.plus(own);
        let add = |sum: &mut u64, value: u64| *sum = sum.wrapping_add(value);
        add(&mut self.temporary, field!(shard, Shard, temporary));
        add(&mut self.reallocations, field!(shard, Shard, reallocations));
    }

    /// Blocks in use.
    pub(super) fn blocks(&self) -> u64 {
        clamped_difference(self.total.allocations, self.total.frees)
    }

    /// Bytes in use.
    pub(super) fn bytes(&self) -> u64 {
        clamped_difference(self.total.bytes, self.total.freed_bytes)
    }

    /// Classes with allocations, smallest first.
    pub(super) fn classes(&self, outline: &Outline) -> Vec<Class> {
        let sizes = field!(outline.header(), Header, class_sizes);
        let mut classes: Vec<_> = sizes
            .into_iter()
            .zip(self.classes)
            .filter(|(_, flow)| flow.allocations > 0)
            .map(|(block_size, flow)| Class {
                block_size,
                allocations: flow.allocations,
                bytes: flow.bytes,
                frees: flow.frees,
                freed_bytes: flow.freed_bytes,
            })
            .collect();
        classes.sort_by_key(|class| class.block_size);
        classes
    }
}

/// Adds the cells of all chunks to their sites.
///
/// Until [`finish`] the counters hold raw sums: at-peak values as wrapping differences, variances
/// for errors, and the allocation clock for times.
pub(super) fn add_chunks(
    source: &(impl Source + ?Sized),
    outline: &Outline,
    process: Process,
    sites: &mut [Site],
) -> Result<(), ReadError> {
    source.each(&outline.of(SectionId::Chunks), size_of::<Chunk>(), &mut |_, bytes| {
        let chunk = Record(bytes);
        let first = field!(chunk, Chunk, first_site) as usize;
        for (index, site) in sites.iter_mut().skip(first).take(CHUNK_CELLS).enumerate() {
            let place = offset_of!(Chunk, cells) + index * size_of::<Cell>();
            add_cell(&mut site.counters, chunk.from(place), process.peak_epoch);
        }
    })
}

fn add_cell(sum: &mut Counters, cell: Record<'_>, peak_epoch: u32) {
    let own = Flow {
        allocations: field!(cell, Cell, allocations),
        bytes: field!(cell, Cell, bytes),
        frees: field!(cell, Cell, frees),
        freed_bytes: field!(cell, Cell, freed_bytes),
    };
    let reallocations = u64::from(field!(cell, Cell, reallocations));
    if own == Flow::default() && reallocations == 0 {
        return;
    }
    let (mut at_peak, mut at_peak_bytes) =
        (own.allocations.wrapping_sub(own.frees), own.bytes.wrapping_sub(own.freed_bytes));
    // A later epoch began while this was read.
    let is_settled = field!(cell, Cell, peak_epoch).wrapping_sub(peak_epoch) < EPOCHS_AHEAD;
    if is_settled {
        at_peak = field!(cell, Cell, at_peak_blocks).cast_unsigned();
        at_peak_bytes = field!(cell, Cell, at_peak_bytes).cast_unsigned();
    }
    let first_clock = field!(cell, Cell, first_clock);
    let is_first = sum.allocations == 0 || first_clock < sum.first_ns;
    if own.allocations > 0 && is_first {
        sum.first_ns = first_clock;
    }
    sum.last_ns = sum.last_ns.max(field!(cell, Cell, last_clock));
    sum.allocations_error += variance(field!(cell, Cell, variance_blocks));
    sum.bytes_error += variance(field!(cell, Cell, variance_bytes));
    for (sum, value) in [
        (&mut sum.allocations, own.allocations),
        (&mut sum.bytes, own.bytes),
        (&mut sum.frees, own.frees),
        (&mut sum.freed_bytes, own.freed_bytes),
        (&mut sum.own_peak_bytes, clamped(field!(cell, Cell, own_peak_bytes))),
        (&mut sum.at_peak, at_peak),
        (&mut sum.at_peak_bytes, at_peak_bytes),
        (&mut sum.reallocations, reallocations),
        (&mut sum.temporary, field!(cell, Cell, temporary)),
        (&mut sum.samples, field!(cell, Cell, samples)),
    ] {
        *sum = sum.wrapping_add(value);
    }
    if sum.lifetimes.is_empty() {
        sum.lifetimes = vec![0; LIFETIMES];
    }
    let lifetimes = cell.from(offset_of!(Cell, lifetimes));
    for (index, sum) in sum.lifetimes.iter_mut().enumerate() {
        let value = AtomicU64::read(lifetimes.from(index * size_of::<u64>()));
        *sum = sum.wrapping_add(value);
    }
}

/// Peaks that may happen while a ledger is read; an epoch further off is an old one.
const EPOCHS_AHEAD: u32 = 1 << 20;

/// A variance from its bits; zero for what can be none.
fn variance(bits: u64) -> f64 {
    let value = f64::from_bits(bits);
    if value.is_finite() && value > 0.0 { value } else { 0.0 }
}

/// Makes of raw sums what they mean. `ns` turns the allocation clock into time.
pub(super) fn finish(counters: &mut Counters, ns: impl Fn(u64) -> u64) {
    counters.live = clamped_difference(counters.allocations, counters.frees);
    counters.live_bytes = clamped_difference(counters.bytes, counters.freed_bytes);
    counters.at_peak = clamped(counters.at_peak.cast_signed());
    counters.at_peak_bytes = clamped(counters.at_peak_bytes.cast_signed());
    counters.first_ns = ns(counters.first_ns);
    counters.last_ns = ns(counters.last_ns);
    counters.allocations_error = counters.allocations_error.sqrt();
    counters.bytes_error = counters.bytes_error.sqrt();
}
