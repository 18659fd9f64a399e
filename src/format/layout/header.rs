//! The ledger's header: what the file is, where its sections lie, and values of the whole process.

use super::{CLASSES, SECTIONS, Text};
use crate::base::sync::{AtomicI64, AtomicU32, AtomicU64};

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
    /// A value of [`state`].
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
    pub(crate) check: Check,
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

/// A leak check that another process asks for; a line of its own. Who asks holds an exclusive lock
/// on the file (`flock`) from before it asks until it has its answer.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct Check {
    /// Number of the last check that was asked for. Who asks writes it, last, as one more than
    /// before.
    pub(crate) asked: AtomicU32,
    /// Number of the last check that the process has taken up, and of the last that has come to
    /// its end.
    pub(crate) taken: AtomicU32,
    pub(crate) ended: AtomicU32,
    /// A value of [`outcome`]: how it ended.
    pub(crate) outcome: AtomicU32,
    /// Number of the error (`errno`), or status of the process that has looked.
    pub(crate) detail: AtomicU32,
    /// Number of the signal that makes a process look here that sleeps, as far as it knows: the
    /// program may handle it itself by now. Zero: none does.
    pub(crate) signal: AtomicU32,
    /// An address that is asked about; zero: none.
    pub(crate) address: AtomicU64,
    /// Nanoseconds for which the program stood still.
    pub(crate) pause_ns: AtomicU64,
    _spare: [AtomicU64; 3],
}

/// Values of [`Check::outcome`].
pub(crate) mod outcome {
    /// The report is beside the ledger: its name is that of the ledger with `.leaks.json` behind.
    pub(crate) const REPORTED: u32 = 1;
    /// The system did not let the process be copied.
    pub(crate) const REFUSED: u32 = 2;
    /// There was not enough memory.
    pub(crate) const NO_MEMORY: u32 = 3;
    /// The report could not be written.
    pub(crate) const UNWRITTEN: u32 = 4;
    /// The copy that was looking has come to a bad end.
    pub(crate) const DIED: u32 = 5;
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
