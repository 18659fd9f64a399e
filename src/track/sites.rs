//! Call sites: equal call stacks are stored once and share a 32-bit number.
//!
//! A hash table of site numbers, probed linearly, over an append-only store of stacks. Looking up
//! takes no lock: a slot is zero or names a stack that was complete before the slot was written.
//! Inserting, and doubling the table at half full, happen under a lock; old tables stay readable.
//! At [`SITES_MAX`] stacks further new ones become [`SiteId::UNKNOWN`], and the count of those is
//! part of every report.

use crate::base::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::heap::observe::ColumnMemory;
use crate::os::lock::Lock;
use core::ptr;
use core::slice;

/// A call site. Never zero, which stands for "no block" in the columns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct SiteId(u32);

impl SiteId {
    /// A block whose stack is not known: stacks were not recorded, or could not be.
    pub(crate) const UNKNOWN: Self = Self(1);

    pub(super) const fn number(self) -> u32 {
        self.0
    }

    pub(super) const fn from_number(number: u32) -> Option<Self> {
        if number == 0 { None } else { Some(Self(number)) }
    }
}

/// All call sites of the process.
#[derive(Debug)]
pub(crate) struct Sites {
    table: AtomicPtr<Table>,
    stacks: [AtomicPtr<Stack>; CHUNKS],
    count: AtomicU32,
    refused: AtomicU64,
    lock: Lock,
}

/// A stored stack: this header, then `len` return addresses, innermost first.
#[derive(Debug)]
#[repr(C)]
struct Stack {
    hash: u64,
    frames: *const usize,
    len: u32,
    truncated: bool,
}

/// The hash table: this header, then `mask + 1` slots.
#[derive(Debug)]
#[repr(C)]
struct Table {
    mask: usize,
}

/// Most stacks that are told apart.
pub(crate) const SITES_MAX: u32 = 1 << 22;
const FIRST_NUMBER: u32 = 2;
const TABLE_FIRST: usize = 1 << 10;
/// Stack headers come in chunks that double in size: chunk `c` holds `1 << (c + 8)` of them.
const CHUNKS: usize = 15;
const CHUNK_LOG: u32 = 8;

/// Which chunk holds site `number`, and where in it.
const fn place_of(number: u32) -> (usize, usize) {
    let shifted = number + (1 << CHUNK_LOG);
    let log = shifted.ilog2();
    ((log - CHUNK_LOG) as usize, (shifted - (1 << log)) as usize)
}

const fn chunk_len(chunk: usize) -> usize {
    size_of::<Stack>() << (chunk as u32 + CHUNK_LOG)
}

impl Sites {
    pub(super) const fn new() -> Self {
        Self {
            table: AtomicPtr::new(ptr::null_mut()),
            stacks: [const { AtomicPtr::new(ptr::null_mut()) }; CHUNKS],
            count: AtomicU32::new(FIRST_NUMBER),
            refused: AtomicU64::new(0),
            lock: Lock::new(),
        }
    }

    /// The site of a stack, new or known.
    pub(super) fn intern(
        &self,
        frames: &[usize],
        truncated: bool,
        memory: ColumnMemory<'_>,
    ) -> SiteId {
        let hash = hash_of(frames, truncated);
        if let Some(site) = self.find(hash, frames) {
            return site;
        }
        let inserted = self.lock.acquire().and_then(|_lock| {
            // Another thread may have been faster.
            self.find(hash, frames).or_else(|| self.insert(hash, frames, truncated, memory))
        });
        inserted.unwrap_or_else(|| {
            self.refused.fetch_add(1, Ordering::Relaxed);
            SiteId::UNKNOWN
        })
    }

    /// The stack of a site: return addresses, innermost first, and whether it was cut.
    pub(crate) fn stack_of(&self, site: SiteId) -> Option<(&[usize], bool)> {
        let stack = self.stack(site)?;
        // SAFETY: a stored stack's frames are complete and never change.
        let frames = unsafe { slice::from_raw_parts(stack.frames, stack.len as usize) };
        Some((frames, stack.truncated))
    }

    /// Number of distinct stacks.
    pub(crate) fn len(&self) -> usize {
        (self.count.load(Ordering::Relaxed) - FIRST_NUMBER) as usize
    }

    /// Allocations whose stack could not be stored.
    pub(crate) fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    fn stack(&self, site: SiteId) -> Option<&Stack> {
        if site.0 < FIRST_NUMBER || site.0 >= self.count.load(Ordering::Acquire) {
            return None;
        }
        let (chunk, index) = place_of(site.0);
        // SAFETY: numbers below `count` have their header written.
        unsafe { self.stacks[chunk].load(Ordering::Acquire).add(index).as_ref() }
    }

    fn find(&self, hash: u64, frames: &[usize]) -> Option<SiteId> {
        // SAFETY: tables are published complete and never given back.
        let table = unsafe { self.table.load(Ordering::Acquire).as_ref() }?;
        table.probe(hash).find_map(|slot| {
            // Acquire: pairs with the Release in `Table::insert`.
            let number = slot.load(Ordering::Acquire);
            let Some(site) = SiteId::from_number(number) else { return Some(None) };
            let stack = self.stack(site)?;
            let (stored, _) = self.stack_of(site)?;
            (stack.hash == hash && stored == frames).then_some(Some(site))
        })?
    }

    /// Stores a new stack. The lock is held.
    fn insert(
        &self,
        hash: u64,
        frames: &[usize],
        truncated: bool,
        memory: ColumnMemory<'_>,
    ) -> Option<SiteId> {
        let number = self.count.load(Ordering::Relaxed);
        if number >= SITES_MAX {
            return None;
        }
        let table = self.table_with_room(memory)?;
        let header = self.header_for(number, memory)?;
        let copy = memory.allocate(size_of_val(frames).max(1)).cast::<usize>();
        if copy.is_null() {
            return None;
        }
        // SAFETY: the copy has room for the frames, and the header is ours until published.
        unsafe {
            copy.copy_from_nonoverlapping(frames.as_ptr(), frames.len());
            header.write(Stack { hash, frames: copy, len: frames.len() as u32, truncated });
        }
        // Release: whoever sees the count, or the slot, sees the stack.
        self.count.store(number + 1, Ordering::Release);
        table.insert(hash, number);
        Some(SiteId(number))
    }

    fn header_for(&self, number: u32, memory: ColumnMemory<'_>) -> Option<*mut Stack> {
        let (chunk, index) = place_of(number);
        let slot = self.stacks.get(chunk)?;
        let mut start = slot.load(Ordering::Relaxed);
        if start.is_null() {
            start = memory.allocate(chunk_len(chunk)).cast();
            if start.is_null() {
                return None;
            }
            slot.store(start, Ordering::Release);
        }
        // SAFETY: `place_of` gives indices inside the chunk.
        Some(unsafe { start.add(index) })
    }

    /// The table, doubled first when it is half full.
    fn table_with_room(&self, memory: ColumnMemory<'_>) -> Option<&Table> {
        // SAFETY: as in `find`.
        let old = unsafe { self.table.load(Ordering::Relaxed).as_ref() };
        let slots = old.map_or(0, |table| table.mask + 1);
        if self.len() * 2 < slots {
            return old;
        }
        let slots = (slots * 2).max(TABLE_FIRST);
        let len = size_of::<Table>() + slots * size_of::<AtomicU32>();
        let table = memory.allocate(len).cast::<Table>();
        if table.is_null() {
            return None;
        }
        // SAFETY: the memory is ours, zeroed and large enough.
        let new = unsafe {
            table.write(Table { mask: slots - 1 });
            &*table
        };
        for number in FIRST_NUMBER..self.count.load(Ordering::Relaxed) {
            new.insert(self.stack(SiteId(number))?.hash, number);
        }
        // Release: pairs with the Acquire in `find`. Readers of the old table miss what is newer
        // and come here for it, under the lock.
        self.table.store(table, Ordering::Release);
        Some(new)
    }
}

impl Table {
    fn slot(&self, index: usize) -> &AtomicU32 {
        // SAFETY: the header is followed by `mask + 1` slots.
        unsafe { &*ptr::from_ref(self).add(1).cast::<AtomicU32>().add(index & self.mask) }
    }

    fn probe(&self, hash: u64) -> impl Iterator<Item = &AtomicU32> {
        (0..=self.mask).map(move |step| self.slot((hash as usize).wrapping_add(step)))
    }

    fn insert(&self, hash: u64, number: u32) {
        if let Some(slot) = self.probe(hash).find(|slot| slot.load(Ordering::Relaxed) == 0) {
            slot.store(number, Ordering::Release);
        }
    }
}

/// Multiply-and-fold over the addresses (the mixing step of wyhash, W. Yi 2019).
fn hash_of(frames: &[usize], truncated: bool) -> u64 {
    frames.iter().fold(SEED ^ u64::from(truncated), |hash, frame| {
        let wide = u128::from(hash ^ *frame as u64) * u128::from(FACTOR);
        (wide ^ (wide >> 64)) as u64
    })
}

const SEED: u64 = 0xa076_1d64_78bd_642f;
const FACTOR: u64 = 0xe703_7ed1_a0b4_28db;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_tile_the_numbers() {
        let mut expected = (0, 0);
        for number in 0..SITES_MAX {
            assert_eq!(place_of(number), expected);
            expected.1 += 1;
            if expected.1 == chunk_len(expected.0) / size_of::<Stack>() {
                expected = (expected.0 + 1, 0);
            }
        }
    }
}
