//! What a report is made of, before anything has a name: addresses and numbers.

use super::model::{LeakClass, MemoryStats, Suppression};
use std::string::String;
use std::vec::Vec;

/// What was found of one class at one call stack.
#[derive(Clone, Debug)]
pub(crate) struct RawLeak {
    pub(crate) class: LeakClass,
    /// Reachable by pointers into the middle of blocks alone.
    pub(crate) is_interior: bool,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    /// Kernel ids of the allocating threads.
    pub(crate) threads: Vec<u32>,
    /// Return addresses, innermost first; the first may be Heapsight's own.
    pub(crate) stack: Vec<u64>,
    /// The stack had more frames than were kept.
    pub(crate) truncated: bool,
    /// How the largest block is held.
    pub(crate) held_by: Option<RawPath>,
    /// All blocks of the cycle.
    pub(crate) members: Vec<RawMember>,
    /// The blocks one by one, address and size, if they were asked for.
    pub(crate) listed: Vec<(u64, u64)>,
}

/// The way to a block, from the root inwards.
#[derive(Clone, Debug)]
pub(crate) struct RawPath {
    pub(crate) root: RawRoot,
    pub(crate) hops: Vec<RawHop>,
    /// Steps left out before the last one.
    pub(crate) omitted: u64,
}

/// Where it begins.
#[derive(Clone, Debug)]
pub(crate) enum RawRoot {
    Global { address: u64 },
    Stack { thread: u32, address: u64, pc: Option<u64> },
    Registers { thread: u32 },
    Tls { thread: u32, address: u64 },
    AlternateStack { thread: u32, address: u64 },
    Region { address: u64 },
    Mapping { address: u64 },
    Lost { stack: Vec<u64> },
    Ignored,
    Suppressed,
}

/// A block on the way; the pointer to the next lies `offset` bytes into it.
#[derive(Clone, Debug)]
pub(crate) struct RawHop {
    pub(crate) address: u64,
    pub(crate) size: u64,
    pub(crate) offset: u64,
    pub(crate) stack: Vec<u64>,
}

/// Blocks of a cycle from one call stack.
#[derive(Clone, Debug)]
pub(crate) struct RawMember {
    pub(crate) stack: Vec<u64>,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// All that a report is made of.
#[derive(Clone, Debug)]
pub(crate) struct RawReport {
    pub(crate) stats: MemoryStats,
    pub(crate) leaks: Vec<RawLeak>,
    pub(crate) suppressions: Vec<Suppression>,
    /// Sentences that qualify the numbers.
    pub(crate) notes: Vec<String>,
    /// Heapsight's own memory.
    pub(crate) overhead_bytes: u64,
    /// The process that it is about, which a copy of it is not.
    pub(crate) pid: u32,
    /// What was asked about besides.
    pub(crate) asked: Option<RawAsked>,
}

/// An address, and what is there.
#[derive(Clone, Debug)]
pub(crate) struct RawAsked {
    pub(crate) address: u64,
    /// Of the block that it belongs to.
    pub(crate) start: u64,
    pub(crate) usable: u64,
    /// `None`: no block in use.
    pub(crate) block: Option<RawLeak>,
    /// What is there instead.
    pub(crate) place: String,
}
