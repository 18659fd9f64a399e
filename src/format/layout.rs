//! The layout of a ledger: a header, then sections of equal records at fixed places.
//!
//! The file has its full length from the start and is sparse: what nobody wrote occupies no disk.
//! A record is complete before the count of its section includes it (the count is stored with
//! Release), is only ever appended, and its identity never changes; counters in it do, each written
//! by one thread. All numbers are little-endian, aligned to their size. All-zero is "nothing yet".
//!
//! Blocks are timed by the *allocation clock*: the bytes that the process has allocated so far. It
//! costs nothing to read and is the same in every run. The timeline says what time it was when.

#![expect(dead_code, reason = "the layout is whole before its writer and reader are")]

use crate::base::sync::{AtomicI64, AtomicU32, AtomicU64};

/// First bytes of every ledger.
pub(crate) const MAGIC: [u8; 8] = *b"HSLEDGER";
/// Of this layout. A reader refuses others.
pub(crate) const VERSION: u32 = 1;
/// Bytes of the header; the first section starts behind it.
pub(crate) const HEADER_LEN: usize = 8192;
/// Sections start on multiples of this.
pub(crate) const SECTION_ALIGN: usize = 4096;
/// Number of sections, in the order of [`SectionId`].
pub(crate) const SECTIONS: usize = 10;
/// Classes that are counted apart; see [`Header::class_sizes`].
pub(crate) const CLASSES: usize = 128;
/// Cells of a chunk: counters of that many sites with consecutive numbers, of one shard.
pub(crate) const CHUNK_CELLS: usize = 64;
/// Buckets of a lifetime histogram, in bytes of the allocation clock. Bucket 0: below 1024; bucket k:
/// below 1024 · 4^k; the last one takes all above.
pub(crate) const LIFETIMES: usize = 16;

/// Which records a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(usize)]
pub(crate) enum SectionId {
    /// Bytes of text: paths, names, the command line. Others refer to them by [`Text`].
    Strings = 0,
    /// [`Module`]: executables and shared objects, one for each time one was loaded.
    Modules = 1,
    /// [`Frame`]: program counters. Number 0 is nobody's.
    Frames = 2,
    /// [`Node`]: call stacks, as a tree of frames. Node 0 is the empty stack.
    Nodes = 3,
    /// [`Site`]: call stacks that allocated. Sites 0 and 1 are reserved: none, and unknown.
    Sites = 4,
    /// [`Thread`]: threads that were seen, in order. Number 0 stands for those beyond the capacity.
    Threads = 5,
    /// [`Shard`]: sets of counters, each written by one thread at a time.
    Shards = 6,
    /// [`Chunk`]: counters by site, each of one shard.
    Chunks = 7,
    /// [`Point`]: the timeline.
    Timeline = 8,
    /// [`Event`]: what happened to the process and to tracking.
    Events = 9,
}

/// Where a section is and how full.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Section {
    /// Of its first byte, from the start of the file.
    pub(crate) offset: AtomicU64,
    /// Bytes of a record.
    pub(crate) stride: AtomicU32,
    /// Most records it can hold.
    pub(crate) capacity: AtomicU32,
    /// Records that are complete.
    pub(crate) count: AtomicU32,
    /// Records that found no room.
    pub(crate) refused: AtomicU32,
}

/// Bytes of the strings section.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Text {
    pub(crate) offset: AtomicU32,
    pub(crate) len: AtomicU32,
}

/// The first record of the file.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Header {
    pub(crate) magic: [u8; 8],
    pub(crate) version: AtomicU32,
    pub(crate) header_len: AtomicU32,
    /// Length of the file.
    pub(crate) file_len: AtomicU64,
    pub(crate) sections: [Section; SECTIONS],
    /// Largest block, in bytes, of each class; zero for numbers not in use.
    pub(crate) class_sizes: [AtomicU64; CLASSES],

    // --- The process ---
    pub(crate) pid: AtomicU32,
    /// The process this one was forked from while it was tracked; zero if none.
    pub(crate) forked_from: AtomicU32,
    /// Path of the program.
    pub(crate) program: Text,
    /// Its arguments, separated by zero bytes.
    pub(crate) command: Text,
    /// Version of Heapsight.
    pub(crate) writer: Text,
    /// [`state`].
    pub(crate) state: AtomicU32,
    /// Exit status, where it is known.
    pub(crate) exit_status: AtomicU32,
    /// Wall clock at tick [`Header::tick_zero`]: nanoseconds since 1970.
    pub(crate) started_unix_ns: AtomicU64,
    /// Clock tick at the start.
    pub(crate) tick_zero: AtomicU64,
    /// A later tick, and the nanoseconds that had passed by then: the length of a tick is their
    /// quotient. Refreshed as the process runs.
    pub(crate) tick_later: AtomicU64,
    pub(crate) nanoseconds_later: AtomicU64,

    // --- Tracking ---
    /// [`mode`] in force.
    pub(crate) mode: AtomicU32,
    /// [`mode`] that somebody outside asks for, plus one; zero: no wish. The process clears it.
    pub(crate) wanted: AtomicU32,
    /// Mean bytes between samples, in force and wanted.
    pub(crate) sample_bytes: AtomicU64,
    pub(crate) wanted_sample_bytes: AtomicU64,
    /// Timeline: points are at least this many ticks apart; doubles when it is full.
    pub(crate) point_ticks: AtomicU64,
    /// Blocks that were handed out without a record for lack of memory.
    pub(crate) unseen: AtomicU64,
    /// Stacks that found no room: their blocks count for site 1.
    pub(crate) refused_stacks: AtomicU64,
    /// Blocks and bytes that lived, unknown, when tracking began.
    pub(crate) before_blocks: AtomicU64,
    pub(crate) before_bytes: AtomicU64,
    /// Bytes of Heapsight's own records outside of this file.
    pub(crate) overhead_bytes: AtomicU64,

    pub(crate) shared: Shared,
}

/// Values that all threads write; a line of its own.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Shared {
    /// Bytes and blocks in use, but for the last few changes of each thread: what finds the peak.
    /// The exact values are sums over the shards.
    pub(crate) bytes: AtomicI64,
    pub(crate) blocks: AtomicI64,
    pub(crate) peak_bytes: AtomicI64,
    pub(crate) peak_blocks: AtomicI64,
    /// Counts the times `peak_bytes` grew; see [`Cell::peak_epoch`].
    pub(crate) peak_epoch: AtomicU32,
    _pad: AtomicU32,
    /// When it grew last, by the allocation clock.
    pub(crate) peak_clock: AtomicU64,
    /// When the next point of the timeline is due.
    pub(crate) next_point: AtomicU64,
    /// The allocation clock, but for the last few blocks of each thread.
    pub(crate) clock: AtomicU64,
}

/// Values of [`Header::state`].
pub(crate) mod state {
    pub(crate) const RUNNING: u32 = 0;
    /// Ended by `exit` or by returning from `main`.
    pub(crate) const EXITED: u32 = 1;
    /// Became another program by `exec`.
    pub(crate) const REPLACED: u32 = 2;
    /// Ended by a signal whose handler could still write this; the status is its number.
    pub(crate) const KILLED: u32 = 3;
}

/// Values of [`Header::mode`].
pub(crate) mod mode {
    pub(crate) const OFF: u32 = 0;
    pub(crate) const STATS: u32 = 1;
    pub(crate) const SAMPLE: u32 = 2;
    pub(crate) const FULL: u32 = 3;
}

/// An executable or shared object, as long as it was mapped at one place.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Module {
    /// Addresses it covers.
    pub(crate) start: AtomicU64,
    pub(crate) end: AtomicU64,
    /// What to subtract from an address to get the one the file was linked for.
    pub(crate) bias: AtomicU64,
    pub(crate) path: Text,
    pub(crate) build_id: [AtomicU32; 8],
    pub(crate) build_id_len: AtomicU32,
    _pad: AtomicU32,
    pub(crate) loaded_tick: AtomicU64,
    /// Zero: still there.
    pub(crate) unloaded_tick: AtomicU64,
}

/// A program counter.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Frame {
    /// Return address; or, with [`Frame::EXACT`], the instruction that a signal interrupted.
    pub(crate) address: AtomicU64,
    /// Number of its module plus one; zero: none.
    pub(crate) module: AtomicU32,
    pub(crate) flags: AtomicU32,
}

impl Frame {
    /// The address is that of the instruction itself, not the one behind a call.
    pub(crate) const EXACT: u32 = 1;
    /// No frame, but how the walk ended: `address` is an [`ending`].
    pub(crate) const ENDING: u32 = 2;
    /// Found by following frame pointers through code without frame information: likely, not sure.
    pub(crate) const HEURISTIC: u32 = 4;
}

/// Values of [`Frame::address`] for pseudo frames. A stack without one ends at its root.
pub(crate) mod ending {
    /// Code without unwind information.
    pub(crate) const NO_INFO: u64 = 1;
    /// Deeper than what is kept.
    pub(crate) const TRUNCATED: u64 = 2;
    /// The stack's contents contradict its unwind information.
    pub(crate) const DAMAGED: u64 = 3;
    /// Unwind information of a kind that is not evaluated here.
    pub(crate) const UNSUPPORTED: u64 = 4;
}

/// A call stack: `frame`, called from `parent`.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Node {
    pub(crate) parent: AtomicU32,
    pub(crate) frame: AtomicU32,
    /// The site of this very stack; zero if none allocated.
    pub(crate) site: AtomicU32,
    pub(crate) depth: AtomicU32,
}

/// A call stack that allocated.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Site {
    pub(crate) node: AtomicU32,
    _pad: AtomicU32,
}

/// A thread, from the first to its last block.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Thread {
    /// Kernel thread id.
    pub(crate) id: AtomicU32,
    /// The shard it writes, or wrote.
    pub(crate) shard: AtomicU32,
    /// Name, zero-padded (`PR_GET_NAME`).
    pub(crate) name: [AtomicU32; 4],
    pub(crate) started_tick: AtomicU64,
    /// Zero: still running.
    pub(crate) ended_tick: AtomicU64,
    /// The shard's sums when the thread took it, and when it left it.
    pub(crate) first: Sums,
    pub(crate) last: Sums,
}

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

/// A moment of the process. When the section is full, every second point is dropped and
/// [`Header::point_ticks`] doubled.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Point {
    pub(crate) tick: AtomicU64,
    pub(crate) bytes: AtomicI64,
    pub(crate) blocks: AtomicI64,
    /// Resident bytes of the process.
    pub(crate) resident: AtomicU64,
    /// Blocks allocated so far.
    pub(crate) allocations: AtomicU64,
    /// Largest `bytes` since the point before: the peak if it was then, or else `bytes`.
    pub(crate) high_bytes: AtomicI64,
    /// The allocation clock.
    pub(crate) clock: AtomicU64,
    pub(crate) _spare: AtomicU64,
}

/// Something that happened.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Event {
    pub(crate) tick: AtomicU64,
    /// [`event`].
    pub(crate) kind: AtomicU32,
    pub(crate) thread: AtomicU32,
    /// What it means depends on the kind.
    pub(crate) value: AtomicU64,
    pub(crate) text: Text,
}

/// Values of [`Event::kind`].
pub(crate) mod event {
    /// The mode changed; `value` is the new one.
    pub(crate) const MODE: u32 = 1;
    /// The process was forked; `value` is the child.
    pub(crate) const FORK: u32 = 2;
    /// The program set a mark; `text` is its name.
    pub(crate) const MARK: u32 = 3;
    /// A section is full; `value` is its number.
    pub(crate) const FULL: u32 = 4;
    /// The program misused a block; `text` says how.
    pub(crate) const MISUSE: u32 = 5;
}

const _: () = {
    assert!(size_of::<Header>() <= HEADER_LEN);
    assert!(size_of::<Cell>() == 256);
    assert!(size_of::<Chunk>() == 64 + 256 * CHUNK_CELLS);
    assert!(size_of::<Shard>() == 64 + 32 * CLASSES);
    assert!(size_of::<Node>() == 16 && size_of::<Frame>() == 16 && size_of::<Site>() == 8);
    assert!(size_of::<Point>() == 64 && size_of::<Event>() == 32);
};
