//! Sums: of sites over chunks, of classes over shards.

use super::ReadError;
use super::outline::Outline;
use super::record::{Flow, Plain, Record, clock_of, field};
use super::source::Source;
use crate::format::layout::{
    CHUNK_CELLS, CLASSES, Cell, Chunk, ClassCell, Header, LIFETIMES, LIVES, SectionId, Shard,
    Shared, Wide,
};
use crate::format::snapshot::{Class, Counters, Site};
use core::mem::offset_of;
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
/// for errors, and the allocation clock for times. When a site began it knows already.
pub(super) fn add_chunks(
    source: &(impl Source + ?Sized),
    outline: &Outline,
    process: Process,
    sites: &mut [Site],
) -> Result<(), ReadError> {
    let wides = Wides::read(source, outline)?;
    source.each(&outline.of(SectionId::Chunks), size_of::<Chunk>(), &mut |_, bytes| {
        let chunk = Record(bytes);
        let first = field!(chunk, Chunk, first_site) as usize;
        for (index, site) in sites.iter_mut().skip(first).take(CHUNK_CELLS).enumerate() {
            let place = offset_of!(Chunk, cells) + index * size_of::<Cell>();
            let cell = chunk.from(place);
            let wide = wides.of(field!(cell, Cell, wide));
            add_cell(&mut site.counters, (cell, &wide), process.peak_epoch);
        }
    })
}

fn add_cell(sum: &mut Counters, (cell, wide): (Record<'_>, &WideCounts), now: u32) {
    let own = Flow {
        allocations: whole(field!(cell, Cell, allocations).into(), u32::BITS, wide.allocations),
        bytes: field!(cell, Cell, bytes),
        frees: whole(field!(cell, Cell, frees).into(), u32::BITS, wide.frees),
        freed_bytes: field!(cell, Cell, freed_bytes),
    };
    if own == Flow::default() && wide.reallocations == 0 {
        return;
    }
    let (mut at_peak, mut at_peak_bytes) =
        (own.allocations.wrapping_sub(own.frees), own.bytes.wrapping_sub(own.freed_bytes));
    // A later epoch began while this was read.
    let is_settled = field!(cell, Cell, peak_epoch).wrapping_sub(now) < EPOCHS_AHEAD;
    if is_settled {
        let value = |narrow: i32, wide: i64| if narrow == Cell::FAR { wide } else { narrow.into() };
        at_peak = value(field!(cell, Cell, at_peak_blocks), wide.at_peak_blocks).cast_unsigned();
        at_peak_bytes =
            value(field!(cell, Cell, at_peak_bytes), wide.at_peak_bytes).cast_unsigned();
    }
    let own_peak_bytes = match field!(cell, Cell, own_peak_bytes) {
        Cell::LARGE => clamped(wide.own_peak_bytes),
        narrow => narrow.into(),
    };
    sum.last_ns = sum.last_ns.max(clock_of(field!(cell, Cell, last_clock)));
    sum.allocations_error += variance(wide.variance_blocks);
    sum.bytes_error += variance(wide.variance_bytes);
    let lives = field!(cell, Cell, lives).map(u64::from);
    let lives = core::array::from_fn(|life| whole(lives[life], u8::BITS, wide.lives[life]));
    let [temporary, lifetimes @ ..]: [u64; LIVES] = lives;
    for (sum, value) in [
        (&mut sum.allocations, own.allocations),
        (&mut sum.bytes, own.bytes),
        (&mut sum.frees, own.frees),
        (&mut sum.freed_bytes, own.freed_bytes),
        (&mut sum.own_peak_bytes, own_peak_bytes),
        (&mut sum.at_peak, at_peak),
        (&mut sum.at_peak_bytes, at_peak_bytes),
        (&mut sum.reallocations, wide.reallocations),
        (&mut sum.temporary, temporary),
        (&mut sum.samples, wide.samples),
    ] {
        *sum = sum.wrapping_add(value);
    }
    sum.lifetimes.resize(LIFETIMES, 0);
    for (sum, value) in sum.lifetimes.iter_mut().zip(lifetimes) {
        *sum = sum.wrapping_add(value);
    }
}

/// A count of `bits` bits with what was carried. The count's highest bit is the lowest of `carried`
/// but for a carry that is on its way.
fn whole(count: u64, bits: u32, carried: u64) -> u64 {
    let own_bits = bits - 1;
    let carried = carried.wrapping_add((count >> own_bits ^ carried) & 1);
    (carried << own_bits).wrapping_add(count & ((1 << own_bits) - 1))
}

/// A wide record.
#[derive(Clone, Copy, Debug, Default)]
struct WideCounts {
    allocations: u64,
    frees: u64,
    reallocations: u64,
    samples: u64,
    variance_blocks: u64,
    variance_bytes: u64,
    own_peak_bytes: i64,
    at_peak_bytes: i64,
    at_peak_blocks: i64,
    lives: [u64; LIVES],
}

struct Wides(Vec<WideCounts>);

impl Wides {
    fn read(source: &(impl Source + ?Sized), outline: &Outline) -> Result<Self, ReadError> {
        let mut wides = Vec::new();
        source.each(&outline.of(SectionId::Wides), size_of::<Wide>(), &mut |_, bytes| {
            let wide = Record(bytes);
            wides.push(WideCounts {
                allocations: field!(wide, Wide, allocations),
                frees: field!(wide, Wide, frees),
                reallocations: field!(wide, Wide, reallocations),
                samples: field!(wide, Wide, samples),
                variance_blocks: field!(wide, Wide, variance_blocks),
                variance_bytes: field!(wide, Wide, variance_bytes),
                own_peak_bytes: field!(wide, Wide, own_peak_bytes),
                at_peak_bytes: field!(wide, Wide, at_peak_bytes),
                at_peak_blocks: field!(wide, Wide, at_peak_blocks),
                lives: field!(wide, Wide, lives),
            });
        })?;
        Ok(Self(wides))
    }

    /// The record of that number; zeros for none.
    fn of(&self, number: u32) -> WideCounts {
        match number {
            0 => WideCounts::default(),
            number => self.0.get(number as usize).copied().unwrap_or_default(),
        }
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
