//! The log of `steps.c`, replayed: what its ledger must hold.

use std::fs;
use std::ops::Add;
use std::path::Path;

use crate::report::{Counters, Report, Totals};

/// The functions of the program, by the number that the log has for them.
const FUNCTIONS: [&str; 4] = ["small", "zeroed", "large", "resized"];
const RECORD_LEN: usize = 16;

/// What was done, and what was being done, by function.
#[derive(Debug, Default)]
pub(crate) struct Replay {
    done: [Done; FUNCTIONS.len()],
    in_flight: [Done; FUNCTIONS.len()],
    resized: u64,
    resizing: u64,
    /// Operations that came to their end.
    pub(crate) operations: u64,
}

#[derive(Clone, Copy, Debug, Default)]
struct Done {
    allocations: u64,
    bytes: u64,
    frees: u64,
    freed_bytes: u64,
}

/// An entry of the log; the layout is `struct record` of the program.
#[derive(Clone, Copy, Debug)]
struct Record {
    thread: u8,
    is_end: bool,
    operation: u8,
    site: usize,
    size: u64,
    old_site: usize,
    old_size: u64,
}

const ALLOCATE: u8 = 0;
const FREE: u8 = 1;
const RESIZE: u8 = 2;

impl Record {
    fn of(bytes: &[u8]) -> Self {
        let word = |at: usize| {
            u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes of a record"))
        };
        Self {
            thread: bytes[0],
            is_end: bytes[1] == 1,
            operation: bytes[2],
            site: bytes[3].into(),
            size: word(4).into(),
            old_site: word(8) as usize,
            old_size: word(12).into(),
        }
    }

    fn count(self, functions: &mut [Done; FUNCTIONS.len()]) {
        if matches!(self.operation, ALLOCATE | RESIZE) {
            functions[self.site].allocations += 1;
            functions[self.site].bytes += self.size;
        }
        if matches!(self.operation, FREE | RESIZE) {
            functions[self.old_site].frees += 1;
            functions[self.old_site].freed_bytes += self.old_size;
        }
    }
}

impl Replay {
    /// Replays the log at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let log = fs::read(path).expect("the program's log");
        let mut replay = Self::default();
        let mut begun = [None; 16];
        for record in log.chunks_exact(RECORD_LEN).map(Record::of) {
            let slot = &mut begun[usize::from(record.thread)];
            *slot = (!record.is_end).then_some(record);
            if record.is_end {
                record.count(&mut replay.done);
                replay.resized += u64::from(record.operation == RESIZE);
                replay.operations += 1;
            }
        }
        for record in begun.into_iter().flatten() {
            record.count(&mut replay.in_flight);
            replay.resizing += u64::from(record.operation == RESIZE);
        }
        replay
    }

    /// Blocks that were allocated.
    pub(crate) fn allocations(&self) -> u64 {
        self.done.iter().map(|done| done.allocations).sum()
    }

    /// Checks that the report holds what was done and, of what was being done, something or
    /// nothing. `others`: so many blocks may be libc's.
    pub(crate) fn compare(&self, report: &Report, others: u64) {
        let functions = report.functions();
        for (name, (done, flight)) in FUNCTIONS.iter().zip(self.done.iter().zip(&self.in_flight)) {
            let counted = functions.get(name).copied().unwrap_or_default();
            check(name, counted, *done, *flight);
        }
        let sum = |all: &[Done; FUNCTIONS.len()]| all.iter().copied().reduce(Done::add);
        let (done, flight) = (sum(&self.done), sum(&self.in_flight));
        let (done, flight) = (done.unwrap_or_default(), flight.unwrap_or_default());
        // What libc has for itself is counted, too, and is not in the log.
        let libc: Counters = functions
            .iter()
            .filter(|(name, _)| !FUNCTIONS.contains(name))
            .map(|(_, counters)| *counters)
            .sum();
        assert!(libc.allocations <= others, "{libc:?} is not the program's: {functions:#?}");
        check("all", without(&report.totals, libc), done, flight);
        let resized = self.resized..=self.resized + self.resizing;
        assert!(resized.contains(&report.totals.reallocations), "{resized:?} {:?}", report.totals);
    }
}

impl Add for Done {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            allocations: self.allocations + other.allocations,
            bytes: self.bytes + other.bytes,
            frees: self.frees + other.frees,
            freed_bytes: self.freed_bytes + other.freed_bytes,
        }
    }
}

/// The totals less what `libc` has of them.
fn without(totals: &Totals, libc: Counters) -> Counters {
    Counters {
        allocations: totals.total_allocations - libc.allocations,
        bytes: totals.bytes_allocated - libc.bytes,
        frees: totals.total_deallocations - libc.frees,
        freed_bytes: totals.bytes_deallocated - libc.freed_bytes,
        live: totals.current_allocations - libc.live,
        live_bytes: totals.current_bytes - libc.live_bytes,
        ..Counters::default()
    }
}

/// Checks one function's numbers. An operation in flight may have been counted in part.
fn check(name: &str, counted: Counters, done: Done, flight: Done) {
    let rows = [
        ("allocations", counted.allocations, done.allocations, 0, flight.allocations),
        ("bytes", counted.bytes, done.bytes, 0, flight.bytes),
        ("frees", counted.frees, done.frees, 0, flight.frees),
        ("freed bytes", counted.freed_bytes, done.freed_bytes, 0, flight.freed_bytes),
        (
            "live blocks",
            counted.live,
            done.allocations - done.frees,
            flight.frees,
            flight.allocations,
        ),
        (
            "live bytes",
            counted.live_bytes,
            done.bytes - done.freed_bytes,
            flight.freed_bytes,
            flight.bytes,
        ),
    ];
    for (what, counted, done, less, more) in rows {
        let range = done.saturating_sub(less)..=done + more;
        assert!(range.contains(&counted), "{name}: {counted} {what}, logged {range:?}");
    }
}
