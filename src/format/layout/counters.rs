//! Records that count. Each counter is written by one thread; values of the process are sums.

use super::{CHUNK_CELLS, CLASSES, LIVES};
use crate::base::sync::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};

/// Sums over all classes of a shard.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Sums {
    pub(crate) allocations: AtomicU64,
    pub(crate) bytes: AtomicU64,
    pub(crate) frees: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
}

/// Counters that one thread writes. The values of the process are sums over all shards.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Shard {
    /// The [`Thread`] that writes it now; zero: nobody.
    pub(crate) thread: AtomicU32,
    _pad: AtomicU32,
    /// Blocks freed before the thread's next allocation.
    pub(crate) temporary: AtomicU64,
    pub(crate) reallocations: AtomicU64,
    pub(crate) _spare: [AtomicU64; 5],
    pub(crate) classes: [ClassCell; CLASSES],
}

/// Counters of a size class, of one shard.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct ClassCell {
    pub(crate) allocations: AtomicU64,
    /// Bytes asked for.
    pub(crate) bytes: AtomicU64,
    pub(crate) frees: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
}

/// Counters of [`CHUNK_CELLS`] sites from a multiple of that on, of one shard.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Chunk {
    /// Its shard plus one; zero: all threads write it, atomically.
    pub(crate) shard: AtomicU32,
    pub(crate) first_site: AtomicU32,
    _pad: [AtomicU64; 7],
    pub(crate) cells: [Cell; CHUNK_CELLS],
}

/// Counters of a site, of one shard. Blocks are freed by whichever thread: what is in use, of the
/// site, is the sum over shards of `allocations - frees`. Counts are narrow; see [`Wide`].
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Cell {
    pub(crate) allocations: AtomicU32,
    pub(crate) frees: AtomicU32,
    /// Bytes asked for.
    pub(crate) bytes: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
    /// Largest `bytes - freed_bytes` ever, of this shard; [`Cell::LARGE`]: see the [`Wide`] record.
    pub(crate) own_peak_bytes: AtomicU32,
    /// Bytes and blocks in use when [`Shared::peak_bytes`] was reached, valid if `peak_epoch` is
    /// [`Shared::peak_epoch`]; if it is not, nothing has changed since then, and the current
    /// values are those of the peak. [`Cell::FAR`]: see the [`Wide`] record.
    pub(crate) at_peak_bytes: AtomicI32,
    pub(crate) at_peak_blocks: AtomicI32,
    pub(crate) peak_epoch: AtomicU32,
    /// Number of its [`Wide`] record; zero: none. The largest number: none is to be had, and
    /// counts stay at the most they hold.
    pub(crate) wide: AtomicU32,
    /// Last allocation, by the allocation clock: bits of an `f32`.
    pub(crate) last_clock: AtomicU32,
    /// Freed blocks: first those freed before the next allocation of their thread, which are
    /// called temporary, then the others by how long they lived; see [`LIFETIMES`].
    pub(crate) lives: [AtomicU8; LIVES],
}

/// What the narrow counts of a [`Cell`] cannot hold, and what few sites have.
///
/// A count of `n` bits has here how many times 2^(n-1) it was reached; only its lower `n - 1` bits
/// count besides. Its highest bit is therefore the lowest of the number here, unless the process
/// was stopped between the two: then the number here is one too low.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Wide {
    pub(crate) allocations: AtomicU64,
    pub(crate) frees: AtomicU64,
    pub(crate) reallocations: AtomicU64,
    /// Sampling: samples taken; and the variances of the estimates that the counters then are, as
    /// bits of an `f64`.
    pub(crate) samples: AtomicU64,
    pub(crate) variance_blocks: AtomicU64,
    pub(crate) variance_bytes: AtomicU64,
    /// What its cell has no room for.
    pub(crate) own_peak_bytes: AtomicI64,
    pub(crate) at_peak_bytes: AtomicI64,
    pub(crate) at_peak_blocks: AtomicI64,
    pub(crate) lives: [AtomicU64; LIVES],
}

impl Cell {
    /// [`Cell::wide`] of a cell whose counts have no room beyond it.
    pub(crate) const NO_ROOM: u32 = u32::MAX;
    /// [`Cell::own_peak_bytes`] that are more than fit.
    pub(crate) const LARGE: u32 = u32::MAX;
    /// Values at the peak that do not fit.
    pub(crate) const FAR: i32 = i32::MIN;
}
