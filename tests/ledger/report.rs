//! What `heapsight report --json` says.

use std::collections::BTreeMap;
use std::iter::Sum;
use std::ops::Add;
use std::path::Path;

use serde::Deserialize;

use crate::support::{Run, artifact};

/// The report of one ledger.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) process: Process,
    pub(crate) tracking: Tracking,
    pub(crate) totals: Totals,
    pub(crate) notes: Vec<String>,
    sites: Vec<Site>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Process {
    pub(crate) pid: u32,
    pub(crate) forked_from: Option<u32>,
    pub(crate) state: String,
    pub(crate) status: Option<i32>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Tracking {
    pub(crate) mode: String,
    pub(crate) is_estimated: bool,
    pub(crate) before_blocks: u64,
    pub(crate) before_bytes: u64,
}

#[derive(Clone, Copy, Debug, Deserialize)]
pub(crate) struct Totals {
    pub(crate) total_allocations: u64,
    pub(crate) total_deallocations: u64,
    pub(crate) bytes_allocated: u64,
    pub(crate) bytes_deallocated: u64,
    pub(crate) current_allocations: u64,
    pub(crate) current_bytes: u64,
    pub(crate) reallocations: u64,
}

/// Counters of a call stack, or sums of some.
#[derive(Clone, Copy, Debug, Default, Deserialize, PartialEq)]
pub(crate) struct Counters {
    pub(crate) allocations: u64,
    pub(crate) bytes: u64,
    pub(crate) frees: u64,
    pub(crate) freed_bytes: u64,
    pub(crate) live: u64,
    pub(crate) live_bytes: u64,
    pub(crate) samples: u64,
    pub(crate) allocations_error: f64,
    pub(crate) bytes_error: f64,
}

#[derive(Debug, Deserialize)]
struct Site {
    counters: Counters,
    stack: Vec<Frame>,
}

#[derive(Debug, Deserialize)]
struct Frame {
    function: Option<String>,
    library: bool,
}

impl Report {
    /// The report of the ledger at `path`.
    pub(crate) fn of(path: &Path) -> Self {
        let command = Run::new(artifact("heapsight"));
        let report = command.args(["report", "--json", "--top=0", "--by=count"]).arg(path);
        let outcome = report.outcome().expect_code(0);
        serde_json::from_slice(&outcome.stdout).unwrap_or_else(|error| {
            panic!("not a report: {error}\n{}", outcome.story());
        })
    }

    /// Counters by the program's function that called for the block; "" for stacks unknown.
    pub(crate) fn functions(&self) -> BTreeMap<&str, Counters> {
        let mut functions = BTreeMap::new();
        for site in &self.sites {
            let own = site.stack.iter().find(|frame| !frame.library);
            let name = own.and_then(|frame| frame.function.as_deref()).unwrap_or_default();
            let sum = functions.entry(name).or_insert_with(Counters::default);
            *sum = *sum + site.counters;
        }
        functions
    }

    /// Counters of one function.
    pub(crate) fn function(&self, name: &str) -> Counters {
        self.functions().get(name).copied().unwrap_or_default()
    }

    /// Counters of all call stacks.
    pub(crate) fn sum(&self) -> Counters {
        self.sites.iter().map(|site| site.counters).sum()
    }
}

impl Add for Counters {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        // Errors of independent estimates add by their squares.
        Self {
            allocations: self.allocations + other.allocations,
            bytes: self.bytes + other.bytes,
            frees: self.frees + other.frees,
            freed_bytes: self.freed_bytes + other.freed_bytes,
            live: self.live + other.live,
            live_bytes: self.live_bytes + other.live_bytes,
            samples: self.samples + other.samples,
            allocations_error: self.allocations_error.hypot(other.allocations_error),
            bytes_error: self.bytes_error.hypot(other.bytes_error),
        }
    }
}

impl Sum for Counters {
    fn sum<I: Iterator<Item = Self>>(counters: I) -> Self {
        counters.fold(Self::default(), Self::add)
    }
}
