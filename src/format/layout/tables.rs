//! Records that say what is what: modules, frames, stacks, threads, moments, events.

use super::{Sums, Text};
use crate::base::sync::{AtomicI64, AtomicU32, AtomicU64};

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
    /// The site of this very stack, with [`Node::SITE`], if it calls no other. Or else the first of
    /// the stacks that it calls, if they are few, or [`Node::MANY`]; the site then is that of the
    /// one among them whose frame is zero. Zero: there is nothing.
    pub(crate) below: AtomicU32,
    /// The next of those that the same parent calls, if they are few; zero: none.
    pub(crate) sibling: AtomicU32,
}

impl Node {
    /// The number is that of a site.
    pub(crate) const SITE: u32 = 1 << 31;
    /// Too many to be chained.
    pub(crate) const MANY: u32 = Self::SITE - 1;
}

/// A call stack that allocated.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Site {
    pub(crate) node: AtomicU32,
    /// Its first allocation, by the allocation clock: bits of an `f32`.
    pub(crate) first_clock: AtomicU32,
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
    /// A value of [`event`].
    pub(crate) kind: AtomicU32,
    /// Number of its [`Thread`]; zero: none, or one beyond the capacity.
    pub(crate) thread: AtomicU32,
    /// What it means depends on the kind.
    pub(crate) value: AtomicU64,
    pub(crate) text: Text,
}

/// Values of [`Event::kind`].
pub(crate) mod event {
    /// The mode changed: `value` is the new one, plus 256 times the bytes between samples.
    pub(crate) const MODE: u32 = 1;
    /// The program set a mark; `text` is its name.
    pub(crate) const MARK: u32 = 2;
    /// The program misused a block; `text` says how.
    pub(crate) const MISUSE: u32 = 3;
}
