//! Records that count. Each counter is written by one thread; values of the process are sums.

use super::{CHUNK_CELLS, CLASSES, LIFETIMES};
use crate::base::sync::{AtomicI64, AtomicU32, AtomicU64};

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
/// site, is the sum over shards of `allocations - frees`.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Cell {
    pub(crate) allocations: AtomicU64,
    /// Bytes asked for.
    pub(crate) bytes: AtomicU64,
    pub(crate) frees: AtomicU64,
    pub(crate) freed_bytes: AtomicU64,
    /// Largest `bytes - freed_bytes` ever, of this shard.
    pub(crate) own_peak_bytes: AtomicI64,
    /// Bytes and blocks in use when [`Shared::peak_bytes`] was reached, valid if `peak_epoch` is
    /// [`Shared::peak_epoch`]; if it is not, nothing has changed since then, and the current
    /// values are those of the peak.
    pub(crate) at_peak_bytes: AtomicI64,
    pub(crate) at_peak_blocks: AtomicI64,
    pub(crate) peak_epoch: AtomicU32,
    pub(crate) reallocations: AtomicU32,
    /// Blocks freed before the next allocation of their thread; not in `lifetimes`.
    pub(crate) temporary: AtomicU64,
    /// Sampling: samples taken; and the variances of the estimates that the counters above then
    /// are, as bits of an `f64`.
    pub(crate) samples: AtomicU64,
    pub(crate) variance_blocks: AtomicU64,
    pub(crate) variance_bytes: AtomicU64,
    /// First and last allocation, by the allocation clock.
    pub(crate) first_clock: AtomicU64,
    pub(crate) last_clock: AtomicU64,
    pub(crate) _spare: [AtomicU64; 2],
    /// Freed blocks by how long they lived; see [`LIFETIMES`].
    pub(crate) lifetimes: [AtomicU64; LIFETIMES],
}
