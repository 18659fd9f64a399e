//! A ledger, read: plain data, sums made, references checked.

use std::collections::BTreeMap;
use std::string::String;
use std::vec::Vec;

/// What a ledger said at one moment.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Snapshot {
    /// Whose ledger it is.
    pub process: Process,
    /// What was recorded, and with what gaps.
    pub tracking: Tracking,
    /// Values of the whole process.
    pub totals: Totals,
    /// Executables and shared objects, including those that were unloaded.
    pub modules: Vec<Module>,
    /// Program counters. Index 0 is nobody's.
    pub frames: Vec<Frame>,
    /// Call stacks as a tree. Index 0 is the empty stack; a parent's index is below its child's.
    pub nodes: Vec<Node>,
    /// Call stacks that allocated, with their counters. Index is the site's number; sites 0 (none)
    /// and 1 (stack not known) have node 0.
    pub sites: Vec<Site>,
    /// Threads in the order they were first seen.
    pub threads: Vec<Thread>,
    /// By size class, smallest first; classes without allocations are left out.
    pub classes: Vec<Class>,
    /// In order of time.
    pub timeline: Vec<Point>,
    /// In order of time.
    pub events: Vec<Event>,
}

/// The process.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// Its id.
    pub pid: u32,
    /// The process it was forked from while tracked.
    pub forked_from: Option<u32>,
    /// Path of the program.
    pub program: String,
    /// Its arguments, the first being its name.
    pub command: Vec<String>,
    /// Version of Heapsight that wrote.
    pub writer: String,
    /// Wall clock at the start: nanoseconds since 1970.
    pub started_unix_ns: u64,
    /// Nanoseconds from the start to the last thing recorded.
    pub elapsed_ns: u64,
    /// Running, or how it ended, as far as it could tell.
    pub state: State,
}

/// How far the process had come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum State {
    /// Running; or ended so that it could not tell: `_exit`, SIGKILL, the out-of-memory killer.
    #[default]
    Running,
    /// Ended with this status.
    Exited(i32),
    /// Became another program.
    Replaced,
    /// Ended by this signal.
    Killed(i32),
}

/// What is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Mode {
    /// Nothing.
    #[default]
    Off,
    /// Counts and bytes.
    Stats,
    /// Some blocks with their stacks; counters are estimates.
    Sample {
        /// Mean bytes between two samples.
        bytes: u64,
    },
    /// Every block with its stack.
    Full,
}

/// What was recorded, and with what gaps.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tracking {
    /// Mode in force.
    pub mode: Mode,
    /// Some or all counters are estimates by sampling.
    pub is_estimated: bool,
    /// Blocks handed out without a record for lack of memory.
    pub unseen: u64,
    /// Allocations whose stack found no room: they count for site 1.
    pub refused_stacks: u64,
    /// Blocks and bytes that lived, unknown, when tracking began.
    pub before_blocks: u64,
    /// See `before_blocks`.
    pub before_bytes: u64,
    /// Bytes of Heapsight's own records outside of the ledger.
    pub overhead_bytes: u64,
    /// Bytes of the ledger that are in use.
    pub ledger_bytes: u64,
    /// What found no room, by section, with the number of records.
    pub refused: Vec<(String, u64)>,
    /// Upper edges of the buckets of [`Counters::lifetimes`], in bytes that the process allocated
    /// while the block lived; the last is open.
    pub lifetime_edges_bytes: Vec<u64>,
}

/// Sums over the process. Field names and meanings are those of [`crate::MemoryStats`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Blocks ever allocated.
    pub total_allocations: u64,
    /// Blocks ever freed.
    pub total_deallocations: u64,
    /// Blocks in use.
    pub current_allocations: u64,
    /// Most blocks in use at one moment.
    pub peak_allocations: u64,
    /// Bytes ever allocated.
    pub bytes_allocated: u64,
    /// Bytes ever freed.
    pub bytes_deallocated: u64,
    /// Bytes in use.
    pub current_bytes: u64,
    /// Most bytes in use at one moment.
    pub peak_bytes: u64,
    /// When that was, in nanoseconds from the start.
    pub peak_ns: u64,
    /// Blocks freed before the next allocation of their thread.
    pub temporary: u64,
    /// Blocks that were resized.
    pub reallocations: u64,
}

/// An executable or shared object.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Module {
    /// First address it covered.
    pub start: u64,
    /// First address behind it.
    pub end: u64,
    /// Address minus this is the address the file was linked for.
    pub bias: u64,
    /// Where it was loaded from.
    pub path: String,
    /// Bytes of its build id; empty if it had none.
    pub build_id: Vec<u8>,
    /// When it was unloaded, in nanoseconds from the start; `None`: it was still there.
    pub unloaded_ns: Option<u64>,
}

/// A program counter, or how a stack ends.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Frame {
    /// In memory, as it was. Meaningless for an ending.
    pub address: u64,
    /// Index into [`Snapshot::modules`].
    pub module: Option<usize>,
    /// What the address is.
    pub kind: FrameKind,
}

/// What a frame's address is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum FrameKind {
    /// A return address: the call is the instruction before it.
    #[default]
    Return,
    /// The very instruction, interrupted by a signal.
    Exact,
    /// A return address found by frame pointers in code without unwind information.
    Heuristic,
    /// No frame: outwards of here is unknown, for this reason.
    Ending(Ending),
}

/// Why a stack ends before its root.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// Code without unwind information, as of a just-in-time compiler.
    NoInfo,
    /// Deeper than what is kept.
    Truncated,
    /// The stack's contents contradict its unwind information.
    Damaged,
    /// Unwind information of a kind that is not evaluated.
    Unsupported,
}

/// A call stack: `frame`, called from `parent`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Node {
    /// Index into [`Snapshot::nodes`], below this node's own.
    pub parent: u32,
    /// Index into [`Snapshot::frames`].
    pub frame: u32,
}

/// A call stack that allocated.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Site {
    /// Index into [`Snapshot::nodes`].
    pub node: u32,
    /// Its sums over all threads.
    pub counters: Counters,
}

/// What is counted of a site. With sampling these are unbiased estimates.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Counters {
    /// Blocks ever allocated.
    pub allocations: u64,
    /// Bytes ever allocated.
    pub bytes: u64,
    /// Blocks ever freed.
    pub frees: u64,
    /// Bytes ever freed.
    pub freed_bytes: u64,
    /// Blocks in use.
    pub live: u64,
    /// Bytes in use.
    pub live_bytes: u64,
    /// Most bytes this site ever had in use; an upper bound if several threads used it.
    pub own_peak_bytes: u64,
    /// Blocks in use when the process had most bytes in use.
    pub at_peak: u64,
    /// Bytes in use then.
    pub at_peak_bytes: u64,
    /// Blocks that were resized.
    pub reallocations: u64,
    /// Blocks freed before the next allocation of their thread.
    pub temporary: u64,
    /// Freed blocks by time lived (without temporary ones); edges are in [`Tracking`].
    pub lifetimes: Vec<u64>,
    /// First and last allocation, in nanoseconds from the start.
    pub first_ns: u64,
    /// See `first_ns`.
    pub last_ns: u64,
    /// Samples behind the estimates; zero without sampling.
    pub samples: u64,
    /// Standard deviation of the estimate `allocations`.
    pub allocations_error: f64,
    /// Standard deviation of the estimate `bytes`.
    pub bytes_error: f64,
}

/// A thread.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Thread {
    /// Kernel thread id.
    pub id: u32,
    /// Its name when it was first seen, or when it ended.
    pub name: String,
    /// In nanoseconds from the process's start.
    pub started_ns: u64,
    /// `None`: still running.
    pub ended_ns: Option<u64>,
    /// Blocks it allocated.
    pub allocations: u64,
    /// Bytes it allocated.
    pub bytes: u64,
    /// Blocks it freed, whoever had allocated them.
    pub frees: u64,
    /// Bytes it freed.
    pub freed_bytes: u64,
}

/// A size class.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Class {
    /// Largest block of the class, in bytes.
    pub block_size: u64,
    /// Blocks ever allocated.
    pub allocations: u64,
    /// Bytes asked for.
    pub bytes: u64,
    /// Blocks ever freed.
    pub frees: u64,
    /// Bytes freed.
    pub freed_bytes: u64,
}

/// A moment of the process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Point {
    /// In nanoseconds from the start.
    pub ns: u64,
    /// Bytes in use.
    pub bytes: u64,
    /// Blocks in use.
    pub blocks: u64,
    /// Resident bytes of the process.
    pub resident: u64,
    /// Blocks allocated so far.
    pub allocations: u64,
    /// Largest `bytes` since the point before.
    pub high_bytes: u64,
}

/// Something that happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// In nanoseconds from the start.
    pub ns: u64,
    /// Kernel id of the thread it happened in.
    pub thread: u32,
    /// What.
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// Tracking changed.
    Mode(Mode),
    /// The program set a mark.
    Mark(String),
    /// The program misused a block.
    Misuse(String),
}

impl Snapshot {
    /// The frames of a node, innermost first, as indices into [`Snapshot::frames`].
    pub fn stack(&self, node: u32) -> impl Iterator<Item = u32> + '_ {
        let mut next = node;
        core::iter::from_fn(move || {
            let node = *self.nodes.get(next as usize).filter(|_| next != 0)?;
            // A parent's number is below its child's, so this ends even in a damaged ledger.
            next = if node.parent < next { node.parent } else { 0 };
            Some(node.frame)
        })
    }

    /// Sites with allocations, by number.
    pub fn used_sites(&self) -> impl Iterator<Item = (usize, &Site)> {
        self.sites.iter().enumerate().filter(|(_, site)| site.counters.allocations > 0)
    }

    /// Bytes in use by the class that served them.
    #[must_use]
    pub fn live_by_class(&self) -> BTreeMap<u64, u64> {
        let live = |class: &Class| class.bytes.saturating_sub(class.freed_bytes);
        self.classes.iter().map(|class| (class.block_size, live(class))).collect()
    }
}
