//! The layout of a ledger: a header, then sections of equal records at fixed places.
//!
//! The file has its full length from the start and is sparse: what nobody wrote occupies no disk.
//! A record is complete before the count of its section includes it (the count is stored with
//! Release), is only ever appended, and its identity never changes; counters in it do, each written
//! by one thread. All numbers are little-endian, aligned to their size. All-zero is "nothing yet".
//!
//! Blocks are timed by the *allocation clock*: the bytes that the process has allocated so far. It
//! costs nothing to read and is the same in every run. The timeline says what time it was when.

mod counters;
mod header;
mod tables;

pub(crate) use counters::{Cell, Chunk, ClassCell, Shard, Sums, Wide};
pub(crate) use header::{Check, Header, Section, Shared, mode, outcome, state};
pub(crate) use tables::{Event, Frame, Module, Node, Point, Site, Thread, ending, event};

use crate::base::sync::AtomicU32;

/// First bytes of every ledger.
pub(crate) const MAGIC: [u8; 8] = *b"HSLEDGER";
/// Of this layout. A reader refuses others.
pub(crate) const VERSION: u32 = 3;
/// Bytes of the header; the first section starts behind it.
pub(crate) const HEADER_LEN: usize = 8192;
/// Sections start on multiples of this.
pub(crate) const SECTION_ALIGN: usize = 4096;
/// Number of sections, in the order of [`SectionId`].
pub(crate) const SECTIONS: usize = 11;
/// Classes that are counted apart; see [`Header::class_sizes`].
pub(crate) const CLASSES: usize = 128;
/// Cells of a chunk: counters of that many sites with consecutive numbers, of one shard.
pub(crate) const CHUNK_CELLS: usize = 64;
/// Buckets of a lifetime histogram, in bytes of the allocation clock. Bucket 0: below 1024;
/// bucket k: below 1024 · 4^k; the last one takes all above.
pub(crate) const LIFETIMES: usize = 15;
/// Counts of freed blocks: the temporary ones, and the buckets of the others.
pub(crate) const LIVES: usize = 16;

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
    /// [`Wide`]: what is too much for a cell. Number 0 is nobody's.
    Wides = 10,
}

/// Bytes of the strings section.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Text {
    pub(crate) offset: AtomicU32,
    pub(crate) len: AtomicU32,
}

const _: () = {
    assert!(size_of::<Header>() <= HEADER_LEN && size_of::<Check>() == 64);
    assert!(size_of::<Cell>() == 64 && size_of::<Wide>() == 200 && LIVES == LIFETIMES + 1);
    assert!(size_of::<Chunk>() == 64 + 64 * CHUNK_CELLS);
    assert!(size_of::<Shard>() == 64 + 32 * CLASSES);
    assert!(size_of::<Node>() == 16 && size_of::<Frame>() == 16 && size_of::<Site>() == 8);
    assert!(size_of::<Point>() == 64 && size_of::<Event>() == 32);
};
