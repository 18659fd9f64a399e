//! Side columns: what is recorded of each block of a slab.
//!
//! ```text
//!   header: slots | size of a large block | sites: u32 × n | sizes: u32 × n | threads: u32 × n
//! ```
//!
//! A site other than zero means "in use". Any thread may free a block, and a report may read while
//! the program runs, so all cells are atomic; the thread that allocates writes the site last.

use super::sites::SiteId;
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::heap::observe::ColumnMemory;
use crate::heap::slab::{Kind, Slab};

/// The columns of one slab, in memory of the engine's records.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Columns {
    slots: u32,
    is_large: u32,
    large_size: AtomicU64,
}

/// What is recorded of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) site: SiteId,
    /// Bytes that were asked for.
    pub(crate) size: usize,
    pub(crate) thread: ThreadStamp,
}

/// Which thread allocated a block, and how many forks ago: a block whose fork count is not that of
/// the process was inherited from the parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ThreadStamp(u32);

impl ThreadStamp {
    /// Kernel thread ids are below 2^22.
    const ID_BITS: u32 = 24;

    pub(crate) const fn new(thread: u32, forks: u32) -> Self {
        Self(thread & ((1 << Self::ID_BITS) - 1) | forks << Self::ID_BITS)
    }

    /// Kernel id of the thread.
    pub(crate) const fn thread(self) -> u32 {
        self.0 & ((1 << Self::ID_BITS) - 1)
    }

    /// Forks between the first process and the one that allocated, modulo 256.
    pub(crate) const fn forks(self) -> u32 {
        self.0 >> Self::ID_BITS
    }
}

const CELLS_PER_SLOT: usize = 3;

const fn memory_len(slots: u32) -> usize {
    size_of::<Columns>() + slots as usize * CELLS_PER_SLOT * size_of::<AtomicU32>()
}

impl Columns {
    /// Gives a tracked slab its columns; without memory for them it stays without.
    pub(super) fn attach(slab: &Slab, memory: ColumnMemory<'_>) {
        let slots = slab.reserved();
        let columns = memory.allocate(memory_len(slots)).cast::<Self>();
        if columns.is_null() {
            return;
        }
        let is_large = u32::from(slab.kind() == Kind::Large);
        // SAFETY: the memory is ours, zeroed, aligned, and holds the header and the cells.
        unsafe { columns.write(Self { slots, is_large, large_size: AtomicU64::new(0) }) };
        slab.set_side(columns.cast());
    }

    pub(super) fn detach(slab: &Slab, memory: ColumnMemory<'_>) {
        let columns = slab.side();
        if !columns.is_null() {
            slab.set_side(core::ptr::null_mut());
            // SAFETY: all blocks of the slab are free, so nobody asks for its columns.
            unsafe { memory.free(columns, memory_len(slab.reserved())) };
        }
    }

    pub(crate) fn of(slab: &Slab) -> Option<&Self> {
        // SAFETY: the side pointer is null or from `attach`, and lives as long as the slab.
        unsafe { slab.side().cast::<Self>().as_ref() }
    }

    /// How many blocks have cells.
    pub(crate) fn slots(&self) -> u32 {
        self.slots
    }

    fn cell(&self, column: usize, index: u32) -> &AtomicU32 {
        debug_assert!(index < self.slots);
        let offset = column * self.slots as usize + index as usize;
        // SAFETY: `attach` allocated three columns of `slots` cells behind the header, and the
        // engine's indices are below `reserved`, which is `slots`.
        unsafe { &*core::ptr::from_ref(self).add(1).cast::<AtomicU32>().add(offset) }
    }

    pub(super) fn write(&self, index: u32, site: SiteId, size: usize, thread: ThreadStamp) {
        if self.is_large == 1 {
            self.large_size.store(size as u64, Ordering::Relaxed);
        } else {
            self.cell(1, index).store(size as u32, Ordering::Relaxed);
        }
        self.cell(2, index).store(thread.0, Ordering::Relaxed);
        // Release: whoever sees the site sees size and thread.
        self.cell(0, index).store(site.number(), Ordering::Release);
    }

    fn size(&self, index: u32) -> usize {
        if self.is_large == 1 {
            self.large_size.load(Ordering::Relaxed) as usize
        } else {
            self.cell(1, index).load(Ordering::Relaxed) as usize
        }
    }

    /// Marks the block as free; its size. `None`: it was free already.
    pub(super) fn take(&self, index: u32) -> Option<usize> {
        let size = self.size(index);
        // An exchange, so that of two threads freeing the same block exactly one is told.
        (self.cell(0, index).swap(0, Ordering::AcqRel) != 0).then_some(size)
    }

    /// The record of a block in use.
    pub(crate) fn read(&self, index: u32) -> Option<Record> {
        let site = SiteId::from_number(self.cell(0, index).load(Ordering::Acquire))?;
        let thread = ThreadStamp(self.cell(2, index).load(Ordering::Relaxed));
        Some(Record { site, size: self.size(index), thread })
    }
}
