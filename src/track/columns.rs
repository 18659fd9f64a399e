//! Side columns: what is recorded of each block of a slab.
//!
//! ```text
//!   header: slots | size of a large block | weight
//!   entries: { site | size | thread and time } × slots
//! ```
//!
//! A site other than zero means "in use". Any thread may free a block, and a report may read while
//! the program runs, so all cells are atomic; the thread that allocates writes the site last. What
//! is recorded of a block lies together: allocating and freeing touch one line of it.

use super::{SiteId, event};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering, fence};
use crate::harden::family::Family;
use crate::heap::observe::{ColumnMemory, Freer};
use crate::heap::slab::{Kind, Slab};

/// The columns of one slab, in memory of the engine's records.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Columns {
    slots: u32,
    /// Index of the blocks' size class; [`LARGE`].
    class: u32,
    large_size: AtomicU64,
    /// How many blocks each one here stands for: one, unless they are samples.
    weight: f64,
    /// Neither a large block nor samples: what nearly every block's columns are.
    is_plain: bool,
}

const _: () = assert!(size_of::<Columns>() == 32);

/// Not a class: the slab is a large block.
const LARGE: u32 = u32::MAX;

/// What is recorded of one block, in memory.
#[derive(Debug)]
#[repr(C)]
struct Entry {
    site: AtomicU32,
    size: AtomicU32,
    stamp: AtomicU64,
}

/// What is recorded of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) site: SiteId,
    /// Bytes that were asked for.
    pub(crate) size: usize,
    pub(crate) stamp: Stamp,
}

/// Who allocated a block, and when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Stamp(u64);

impl Stamp {
    const THREAD_BITS: u32 = 20;

    /// Above the time: the program does not want to hear of the block.
    const IGNORED: u64 = 1 << 63;
    /// The block is watched: its memory ends with a canary.
    const SEALED: u64 = 1 << 62;
    /// Where the family of a watched block is.
    const FAMILY_SHIFT: u32 = 60;
    const FLAGS: u64 = 0xf << Self::FAMILY_SHIFT;

    /// Nothing, to be combined with others.
    pub(super) const NONE: Self = Self(0);

    /// Bytes of the allocation clock to a unit of a stamp's time.
    const UNIT_LOG: u32 = 8;

    /// `thread` is the number of a record of the ledger; larger ones than fit stand for none.
    /// `clock` is the allocation clock; times wrap after 256 TiB.
    #[inline]
    pub(crate) const fn new(thread: u32, clock: u64) -> Self {
        let known = if thread >> Self::THREAD_BITS == 0 { thread } else { 0 };
        Self(known as u64).at(clock)
    }

    /// The same at another time, if this is of time zero.
    #[inline(always)]
    pub(super) const fn at(self, clock: u64) -> Self {
        Self(clock >> Self::UNIT_LOG << Self::THREAD_BITS & !Self::FLAGS | self.0)
    }

    /// The same of a block that is to be ignored, if so.
    pub(super) const fn ignored_if(self, is_ignored: bool) -> Self {
        Self(self.0 | (is_ignored as u64) << 63)
    }

    /// What the stamp of a watched block has beside all others'.
    pub(super) const fn seal_of(family: Family) -> Self {
        Self(Self::SEALED | family.number() << Self::FAMILY_SHIFT)
    }

    /// The same with a seal, or [`Self::NONE`].
    #[inline(always)]
    pub(super) const fn sealed(self, seal: Self) -> Self {
        Self(self.0 | seal.0)
    }

    /// Whether the program wants to hear nothing of the block.
    pub(crate) const fn is_ignored(self) -> bool {
        self.0 & Self::IGNORED != 0
    }

    pub(super) const fn number(self) -> u64 {
        self.0 & !Self::FLAGS
    }

    /// The family of a block that is watched from its allocation to its end.
    pub(crate) fn seal(self) -> Option<Family> {
        (self.0 & Self::SEALED != 0).then(|| Family::from_number(self.0 >> Self::FAMILY_SHIFT))
    }

    /// The thread's number in the ledger; zero for those without a record.
    pub(crate) const fn thread(self) -> u32 {
        (self.0 & ((1 << Self::THREAD_BITS) - 1)) as u32
    }

    /// The time, in ticks of 256 bytes of the allocation clock.
    #[inline]
    pub(crate) const fn tick(self) -> u64 {
        (self.0 & !Self::FLAGS) >> Self::THREAD_BITS
    }

    /// What the allocation clock shows at a tick.
    pub(super) const fn clock_of(tick: u64) -> u64 {
        tick << Self::UNIT_LOG
    }

    /// [`Self::age`] of a block of the thread whose stamp of time zero is `own`.
    #[inline(always)]
    pub(super) const fn age_of_own(self, own: Self, now: u64) -> u64 {
        // Without thread: what is left is the time, below flags that are shifted out.
        let time = self.0.wrapping_sub(own.0);
        let units = (now << (Self::THREAD_BITS - Self::UNIT_LOG)).wrapping_sub(time);
        const FLAG_BITS: u32 = u64::BITS - Stamp::FAMILY_SHIFT;
        units << FLAG_BITS >> (FLAG_BITS + Self::THREAD_BITS) << Self::UNIT_LOG
    }

    /// Bytes of the allocation clock from this stamp to `now`, to 256.
    #[inline]
    pub(crate) const fn age(self, now: u64) -> u64 {
        let now = now >> Self::UNIT_LOG << Self::THREAD_BITS;
        let units = now.wrapping_sub(self.0 >> Self::THREAD_BITS << Self::THREAD_BITS);
        (units & !Self::FLAGS) >> Self::THREAD_BITS << Self::UNIT_LOG
    }
}

const fn memory_len(slots: u32) -> usize {
    size_of::<Columns>() + slots as usize * size_of::<Entry>()
}

impl Columns {
    /// Gives a tracked slab its columns; without memory for them it stays without. Each block of it
    /// stands for `weight` blocks. The bytes of the columns.
    pub(super) fn attach(slab: &Slab, memory: ColumnMemory<'_>, weight: f64) -> usize {
        let slots = slab.reserved();
        let columns = memory.allocate(memory_len(slots)).cast::<Self>();
        if columns.is_null() {
            return 0;
        }
        let class = if slab.kind() == Kind::Large { LARGE } else { slab.class().index() as u32 };
        // SAFETY: the memory is ours, aligned, and holds the header and the entries, of which none
        // has a site: it is zeroed, or was columns before, whose blocks have all ended.
        unsafe {
            let is_plain = class != LARGE && weight == 1.0;
            columns.write(Self { slots, class, large_size: AtomicU64::new(0), weight, is_plain })
        };
        slab.set_side(columns.cast());
        memory_len(slots)
    }

    /// Takes the columns back; their bytes.
    pub(super) fn detach(slab: &Slab, memory: ColumnMemory<'_>) -> usize {
        let (columns, len) = (slab.side(), memory_len(slab.reserved()));
        if columns.is_null() {
            return 0;
        }
        slab.set_side(core::ptr::null_mut());
        // SAFETY: all blocks of the slab are free, so nobody asks for its columns.
        unsafe { memory.free(columns, len) };
        len
    }

    #[inline(always)]
    pub(crate) fn of(slab: &Slab) -> Option<&Self> {
        // SAFETY: the side pointer is null or from `attach`, and lives as long as the slab.
        unsafe { slab.side().cast::<Self>().as_ref() }
    }

    /// How many blocks each one here stands for.
    #[inline(always)]
    pub(super) fn weight(&self) -> f64 {
        self.weight
    }

    /// Whether blocks here stand for more than themselves.
    pub(super) fn is_sampled(&self) -> bool {
        self.weight != 1.0
    }

    /// Whether blocks here are small, and stand for themselves alone. The generic parameter
    /// `PLAIN` of functions here says that this is known, and makes them the shorter for it.
    #[inline(always)]
    pub(super) fn is_plain(&self) -> bool {
        self.is_plain
    }

    /// The class cell of a block of that size.
    #[inline(always)]
    pub(super) fn class_cell<const PLAIN: bool>(&self, size: usize) -> usize {
        if self.is_large::<PLAIN>() { event::large_class_cell(size) } else { self.class as usize }
    }

    #[inline(always)]
    fn is_large<const PLAIN: bool>(&self) -> bool {
        !PLAIN && self.class == LARGE
    }

    /// What tells a block from all others that are in use.
    #[inline(always)]
    pub(super) fn identity(&self, index: u32) -> usize {
        core::ptr::from_ref(self.entry(index)) as usize
    }

    /// How many blocks have entries.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    #[inline(always)]
    fn entry(&self, index: u32) -> &Entry {
        debug_assert!(index < self.slots);
        // SAFETY: `attach` allocated `slots` entries behind the header, and the engine's indices
        // are below `reserved`, which is `slots`.
        unsafe { &*core::ptr::from_ref(self).add(1).cast::<Entry>().add(index as usize) }
    }

    #[inline(always)]
    pub(super) fn write<const PLAIN: bool>(&self, index: u32, record: Record) {
        let entry = self.entry(index);
        if self.is_large::<PLAIN>() {
            self.large_size.store(record.size as u64, Ordering::Relaxed);
        } else {
            entry.size.store(record.size as u32, Ordering::Relaxed);
        }
        entry.stamp.store(record.stamp.0, Ordering::Relaxed);
        // Release: whoever sees the site sees size and stamp.
        entry.site.store(record.site.number(), Ordering::Release);
    }

    #[inline(always)]
    fn size<const PLAIN: bool>(&self, entry: &Entry) -> usize {
        if self.is_large::<PLAIN>() {
            self.large_size.load(Ordering::Relaxed) as usize
        } else {
            entry.size.load(Ordering::Relaxed) as usize
        }
    }

    /// Marks the block as free; what was recorded of it. `None`: it was free already.
    #[inline(always)]
    pub(super) fn take<const PLAIN: bool>(&self, index: u32, from: Freer) -> Option<Record> {
        let entry = self.entry(index);
        let size = self.size::<PLAIN>(entry);
        let stamp = Stamp(entry.stamp.load(Ordering::Relaxed));
        let number = match from {
            Freer::Owner => {
                let number = entry.site.load(Ordering::Relaxed);
                entry.site.store(0, Ordering::Relaxed);
                number
            }
            // An exchange, so that of two threads freeing the same block exactly one is told.
            Freer::Anyone => entry.site.swap(0, Ordering::AcqRel),
        };
        let site = SiteId::from_number(number)?;
        Some(Record { site, size, stamp })
    }

    /// The record of a block in use, of columns that are plain, for the thread that frees it.
    #[inline(always)]
    pub(super) fn read_plain(&self, index: u32) -> Option<Record> {
        let entry = self.entry(index);
        let site = SiteId::from_number(entry.site.load(Ordering::Relaxed))?;
        let stamp = Stamp(entry.stamp.load(Ordering::Relaxed));
        Some(Record { site, size: self.size::<true>(entry), stamp })
    }

    /// Marks a block of the owner's as free.
    #[inline(always)]
    pub(super) fn clear(&self, index: u32) {
        self.entry(index).site.store(0, Ordering::Relaxed);
    }

    /// Notes that the program wants to hear nothing of a block in use.
    pub(super) fn ignore(&self, index: u32) {
        self.entry(index).stamp.fetch_or(Stamp::IGNORED, Ordering::Relaxed);
    }

    /// Notes that a block in use is watched from here on. What lies behind it has been written.
    pub(super) fn seal(&self, index: u32, family: Family) {
        self.entry(index).stamp.fetch_or(Stamp::seal_of(family).0, Ordering::Release);
    }

    /// Notes that a block in use, of which `record` is known, is watched no more: what lies behind
    /// it is about to be overwritten. Whoever has found it so and still finds the seal has found a
    /// mistake.
    #[inline(always)]
    pub(super) fn unseal(&self, index: u32, record: Record) {
        self.entry(index).stamp.store(record.stamp.0 & !Stamp::SEALED, Ordering::Relaxed);
        // Pairs with the fence in `watch::underflow`.
        fence(Ordering::Release);
    }

    /// The record of a block in use.
    #[inline(always)]
    pub(crate) fn read(&self, index: u32) -> Option<Record> {
        let entry = self.entry(index);
        let site = SiteId::from_number(entry.site.load(Ordering::Acquire))?;
        let stamp = Stamp(entry.stamp.load(Ordering::Relaxed));
        Some(Record { site, size: self.size::<false>(entry), stamp })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamps_keep_thread_and_time() {
        let clock = (1 << 48) - 5 * 256;
        for is_ignored in [false, true] {
            let stamp = Stamp::new(77, clock).ignored_if(is_ignored);
            assert_eq!(stamp.is_ignored(), is_ignored);
            assert_eq!(Stamp::clock_of(stamp.tick()), clock);
            assert_eq!((stamp.thread(), stamp.age(clock + 3 * 256)), (77, 3 * 256));
            let own = Stamp::new(77, 0).ignored_if(!is_ignored);
            for age in [0, 3 * 256, 3 * 256 + 255, 15 * 256] {
                assert_eq!(stamp.age_of_own(own, clock + age), stamp.age(clock + age));
            }
            // Time wraps; ages do not.
            assert_eq!(stamp.age(clock + 15 * 256), 15 * 256);
        }
        assert_eq!(Stamp::new(1 << 20, 0).thread(), 0);
    }
}
