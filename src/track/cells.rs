//! The counters of one site, of one recorder: a cell of a chunk.
//!
//! Programs have many sites, and most are used a few times, so all that a site has is one line of
//! memory, and its counts are narrow. What they cannot hold is carried to a [`Wide`] record, made
//! when a site first needs one. The two overlap in one bit, from which a reader sees a carry on its
//! way: the process may be killed between the two stores.

use super::event::Event;
use super::ledger::Ledger;
use super::moment::SiteSums;
use crate::base::sync::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64, Ordering};
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

/// A time as records have it: to 24 bits, which the time that a view shows does not need.
#[inline(always)]
fn narrow_clock(clock: u64) -> u32 {
    (clock.cast_signed() as f32).to_bits()
}

impl<'a> SiteCounters<'a> {
    #[inline(always)]
    pub(super) fn of(ledger: &'a Ledger, chunk: &'a Chunk, index: usize) -> Self {
        Self { counts: Counts { ledger, cell: &chunk.cells[index] }, chunk, index }
    }

    #[inline(always)]
    pub(super) fn cell(self) -> &'a Cell {
        self.counts.cell
    }

    /// Counts a block that was handed out.
    #[inline(always)]
    pub(super) fn allocated(self, event: &Event, now: Now) {
        let cell = self.counts.cell;
        self.settle_peak(now);
        let before = cell.allocations.get();
        if before == 0 {
            self.note_first(now.clock);
        }
        let carry = cell.allocations.raise(before, event.weight);
        if carry != 0 {
            self.counts.carry(&cell.allocations, carry, |wide| &wide.allocations);
        }
        let bytes = add(&cell.bytes, event.bytes());
        let live = bytes.wrapping_sub(cell.freed_bytes.load(Ordering::Relaxed)).cast_signed();
        if live > i64::from(cell.own_peak_bytes.load(Ordering::Relaxed)) {
            match u32::try_from(live) {
                Ok(live) if live != Cell::LARGE => {
                    cell.own_peak_bytes.store(live, Ordering::Relaxed);
                }
                _ => self.counts.raise_large_peak(live),
            }
        }
        cell.last_clock.store(narrow_clock(now.clock), Ordering::Relaxed);
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

    /// Before an allocation that may be the site's first. Zero stands for "none yet".
    #[cold]
    #[inline(never)]
    fn note_first(self, clock: u64) {
        let number = self.chunk.first_site.load(Ordering::Relaxed) + self.index as u32;
        if let Some(site) = self.counts.ledger.sites.get(number) {
            let first = narrow_clock(clock.max(1));
            // Whoever comes second is not the first.
            _ = site.first_clock.compare_exchange(0, first, Ordering::Relaxed, Ordering::Relaxed);
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
            self.counts.set(&self.counts.cell.at_peak_bytes, bytes, |wide| &wide.at_peak_bytes);
            self.counts.set(&self.counts.cell.at_peak_blocks, blocks, |wide| &wide.at_peak_blocks);
            self.counts.cell.peak_epoch.store(now.peak_epoch, Ordering::Relaxed);
        }
    }
}

/// Whether counting an allocation takes nothing but the few stores of [`count_allocation`]: it is
/// neither the first of the site nor one that fills a count, and no peak.
#[inline(always)]
pub(super) fn is_plain_allocation(cell: &Cell, size: usize, peak_epoch: u32) -> bool {
    let bytes = cell.bytes.load(Ordering::Relaxed).wrapping_add(size as u64);
    let live = bytes.wrapping_sub(cell.freed_bytes.load(Ordering::Relaxed)).cast_signed();
    let blocks = cell.allocations.get() + 1;
    live <= cell.own_peak_bytes.load(Ordering::Relaxed).into()
        && blocks & ((1 << AtomicU32::OWN_BITS) - 1) > 1
        && cell.peak_epoch.load(Ordering::Relaxed) == peak_epoch
}

/// Counts it.
#[inline(always)]
pub(super) fn count_allocation(cell: &Cell, size: usize, clock: u64) {
    cell.allocations.set(cell.allocations.get() + 1);
    add(&cell.bytes, size as u64);
    cell.last_clock.store(narrow_clock(clock), Ordering::Relaxed);
}

/// The same of a free of a block of that life: whether no count is filled, nor peak passed.
#[inline(always)]
pub(super) fn is_plain_free(cell: &Cell, life: usize, peak_epoch: u32) -> bool {
    (cell.frees.get() + 1) & ((1 << AtomicU32::OWN_BITS) - 1) != 0
        && (cell.lives[life].get() + 1) & ((1 << AtomicU8::OWN_BITS) - 1) != 0
        && cell.peak_epoch.load(Ordering::Relaxed) == peak_epoch
}

/// Counts it.
#[inline(always)]
pub(super) fn count_free(cell: &Cell, size: usize, life: usize) {
    cell.frees.set(cell.frees.get() + 1);
    add(&cell.freed_bytes, size as u64);
    cell.lives[life].set(cell.lives[life].get() + 1);
}

/// Narrow counts.
impl<'a> Counts<'a> {
    /// Stores a value at the peak where there is room for it.
    #[inline(always)]
    fn set(self, narrow: &AtomicI32, value: i64, at: fn(&Wide) -> &AtomicI64) {
        match i32::try_from(value) {
            Ok(value) if value != Cell::FAR => narrow.store(value, Ordering::Relaxed),
            _ => self.set_far(narrow, value, at),
        }
    }

    #[cold]
    #[inline(never)]
    fn set_far(self, narrow: &AtomicI32, value: i64, at: fn(&Wide) -> &AtomicI64) {
        let Some(wide) = self.wide() else {
            let most = if value < 0 { -i32::MAX } else { i32::MAX };
            return narrow.store(most, Ordering::Relaxed);
        };
        at(wide).store(value, Ordering::Relaxed);
        // Release: who sees that it is there sees it.
        narrow.store(Cell::FAR, Ordering::Release);
    }

    /// More is in use than ever, and than the cell can say.
    #[cold]
    #[inline(never)]
    fn raise_large_peak(self, live: i64) {
        let own_peak = &self.cell.own_peak_bytes;
        let Some(wide) = self.wide() else {
            return own_peak.store(Cell::LARGE - 1, Ordering::Relaxed);
        };
        let most = live.max(wide.own_peak_bytes.load(Ordering::Relaxed));
        wide.own_peak_bytes.store(most, Ordering::Relaxed);
        // Release: who sees that it is there sees it.
        own_peak.store(Cell::LARGE, Ordering::Release);
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn carry_life(self, life: usize, carry: u64) {
        match self.wide() {
            Some(wide) => _ = add(&wide.lives[life], carry),
            None => self.cell.lives[life].set((1 << AtomicU8::OWN_BITS) - 1),
        }
    }

    #[cold]
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
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
