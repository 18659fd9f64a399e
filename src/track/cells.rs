//! The counters of one site, of one recorder: a cell of a chunk.
//!
//! Programs have many sites, and most are used a few times, so a cell is one line of memory and
//! its counts are narrow. What they cannot hold is carried to a [`Wide`] record, made when a site
//! first needs one. The two overlap in one bit, from which a reader sees a carry on its way: the
//! process may be killed between the two stores.

use super::event::Event;
use super::ledger::Ledger;
use super::moment::SiteSums;
use crate::base::sync::{AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::format::layout::{Cell, Chunk, Wide};

/// The counters, with what is needed to write them. Only the recorder's thread may.
#[derive(Clone, Copy, Debug)]
pub(super) struct SiteCounters<'a> {
    counts: Counts<'a>,
    chunk: &'a Chunk,
    /// Which cell of the chunk.
    index: usize,
}

/// The cell alone, and where its [`Wide`] record is: what fits into registers, for calls off the
/// common path.
#[derive(Clone, Copy, Debug)]
struct Counts<'a> {
    ledger: &'a Ledger,
    cell: &'a Cell,
}

/// When something happens, as the recorder knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Now {
    /// The allocation clock.
    pub(super) clock: u64,
    /// How many peaks the process has had.
    pub(super) peak_epoch: u32,
}

/// Adds to a counter that this thread alone writes: no locked instruction.
#[inline(always)]
pub(super) fn add(counter: &AtomicU64, amount: u64) -> u64 {
    let sum = counter.load(Ordering::Relaxed).wrapping_add(amount);
    counter.store(sum, Ordering::Relaxed);
    sum
}

fn difference(a: &AtomicU64, b: &AtomicU64) -> i64 {
    a.load(Ordering::Relaxed).wrapping_sub(b.load(Ordering::Relaxed)).cast_signed()
}

/// A count that may overflow into a [`Wide`] record.
trait Narrow {
    /// Its bits but one.
    const OWN_BITS: u32;
    fn get(&self) -> u64;
    /// Stores the lowest bits.
    fn set(&self, value: u64);

    /// Adds to the count, which was `old`; how often that filled its own bits.
    #[inline(always)]
    fn raise(&self, old: u64, more: u64) -> u64 {
        let new = old + more;
        self.set(new);
        // What is left in its own bits tells, in one comparison, whether they were filled.
        if new & ((1 << Self::OWN_BITS) - 1) >= more {
            return 0;
        }
        (new >> Self::OWN_BITS) - (old >> Self::OWN_BITS)
    }
}

macro_rules! narrow {
    ($($kind:ty: $value:ty),*) => {$(
        impl Narrow for $kind {
            const OWN_BITS: u32 = <$value>::BITS - 1;
            #[inline(always)]
            fn get(&self) -> u64 {
                self.load(Ordering::Relaxed).into()
            }
            #[inline(always)]
            fn set(&self, value: u64) {
                self.store(value as $value, Ordering::Relaxed);
            }
        }
    )*};
}
narrow!(AtomicU8: u8, AtomicU32: u32);

/// How often a narrow count has been full, from its record.
type Carries = fn(&Wide) -> &AtomicU64;

impl<'a> SiteCounters<'a> {
    #[inline(always)]
    pub(super) fn of(ledger: &'a Ledger, chunk: &'a Chunk, index: usize) -> Self {
        Self { counts: Counts { ledger, cell: &chunk.cells[index] }, chunk, index }
    }

    /// Counts a block that was handed out.
    #[inline(always)]
    pub(super) fn allocated(self, event: &Event, now: Now) {
        let cell = self.counts.cell;
        self.settle_peak(now);
        let before = cell.allocations.get();
        if before == 0 {
            self.counts.note_first(&self.chunk.first_clock[self.index], now.clock);
        }
        let carry = cell.allocations.raise(before, event.weight);
        if carry != 0 {
            self.counts.carry(&cell.allocations, carry, |wide| &wide.allocations);
        }
        let bytes = add(&cell.bytes, event.bytes());
        let live = bytes.wrapping_sub(cell.freed_bytes.load(Ordering::Relaxed)).cast_signed();
        if live > cell.own_peak_bytes.load(Ordering::Relaxed) {
            cell.own_peak_bytes.store(live, Ordering::Relaxed);
        }
        self.chunk.last_clock[self.index].store(now.clock, Ordering::Relaxed);
    }

    /// Counts a block that was freed, by what it was: temporary, or of which lifetime.
    #[inline(always)]
    pub(super) fn freed(self, event: &Event, life: usize, now: Now) {
        self.settle_peak(now);
        let frees = &self.counts.cell.frees;
        let carry = frees.raise(frees.get(), event.weight);
        if carry != 0 {
            self.counts.carry(frees, carry, |wide| &wide.frees);
        }
        add(&self.counts.cell.freed_bytes, event.bytes());
        let lives = &self.counts.cell.lives[life];
        let carry = lives.raise(lives.get(), event.weight);
        if carry != 0 {
            self.counts.carry_life(life, carry);
        }
    }

    /// A block that was counted is a sample: adds to what is known of the estimates' variance.
    #[cold]
    pub(super) fn sampled(self, size: usize, weight: f64) {
        let Some(wide) = self.counts.wide() else { return };
        add(&wide.samples, 1);
        let variance = weight * (weight - 1.0);
        let raise = |sum: &AtomicU64, by: f64| {
            let now = f64::from_bits(sum.load(Ordering::Relaxed)) + by;
            sum.store(now.to_bits(), Ordering::Relaxed);
        };
        raise(&wide.variance_blocks, variance);
        raise(&wide.variance_bytes, variance * size as f64 * size as f64);
    }

    /// Counts a block that was resized.
    pub(super) fn resized(self) {
        if let Some(wide) = self.counts.wide() {
            add(&wide.reallocations, 1);
        }
    }

    /// What was ever allocated.
    pub(super) fn sums(self) -> SiteSums {
        SiteSums {
            allocations: self
                .counts
                .blocks(&self.counts.cell.allocations, |wide| &wide.allocations),
            bytes: self.counts.cell.bytes.load(Ordering::Relaxed),
        }
    }

    /// Before a cell changes: if the process has had a new peak since the cell's last change, the
    /// cell's values now are those at that peak.
    #[inline(always)]
    fn settle_peak(self, now: Now) {
        if self.counts.cell.peak_epoch.load(Ordering::Relaxed) != now.peak_epoch {
            let bytes = difference(&self.counts.cell.bytes, &self.counts.cell.freed_bytes);
            let allocations =
                self.counts.blocks(&self.counts.cell.allocations, |wide| &wide.allocations);
            let frees = self.counts.blocks(&self.counts.cell.frees, |wide| &wide.frees);
            let blocks = allocations.wrapping_sub(frees).cast_signed();
            self.counts.cell.at_peak_bytes.store(bytes, Ordering::Relaxed);
            self.chunk.at_peak_blocks[self.index].store(blocks, Ordering::Relaxed);
            self.counts.cell.peak_epoch.store(now.peak_epoch, Ordering::Relaxed);
        }
    }
}

/// Narrow counts.
impl<'a> Counts<'a> {
    /// Before an allocation that may be the first.
    #[cold]
    #[inline(never)]
    fn note_first(self, first_clock: &AtomicU64, clock: u64) {
        let carries = |wide: &Wide| wide.allocations.load(Ordering::Relaxed);
        if self.known_wide().is_none_or(|wide| carries(wide) == 0) {
            first_clock.store(clock, Ordering::Relaxed);
        }
    }

    #[cold]
    #[inline(never)]
    fn carry_life(self, life: usize, carry: u64) {
        match self.wide() {
            Some(wide) => _ = add(&wide.lives[life], carry),
            None => self.cell.lives[life].set((1 << AtomicU8::OWN_BITS) - 1),
        }
    }

    #[cold]
    #[inline(never)]
    fn carry(self, narrow: &AtomicU32, carry: u64, carries: Carries) {
        match self.wide() {
            Some(wide) => _ = add(carries(wide), carry),
            None => narrow.set((1 << AtomicU32::OWN_BITS) - 1),
        }
    }

    /// The value of a count of blocks.
    #[inline(always)]
    fn blocks(self, narrow: &AtomicU32, carries: Carries) -> u64 {
        let low = narrow.get();
        if self.cell.wide.load(Ordering::Relaxed) == 0 {
            return low;
        }
        let own = low & ((1 << AtomicU32::OWN_BITS) - 1);
        self.known_wide().map_or(low, |wide| {
            (carries(wide).load(Ordering::Relaxed) << AtomicU32::OWN_BITS) + own
        })
    }

    fn known_wide(self) -> Option<&'a Wide> {
        let number = self.cell.wide.load(Ordering::Relaxed);
        self.ledger.wides.get(number).filter(|_| number != 0)
    }

    /// The site's wide record, made if there is none. `None`: there is no room.
    fn wide(self) -> Option<&'a Wide> {
        if self.cell.wide.load(Ordering::Relaxed) == 0 {
            let _lock = self.ledger.lock().acquire()?;
            let number = self.ledger.wides.append(|_| ()).unwrap_or(Cell::NO_ROOM);
            self.cell.wide.store(number, Ordering::Release);
        }
        self.known_wide()
    }
}
