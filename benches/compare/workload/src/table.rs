//! Every workload: its name, what one operation is, and how many make a full run.

use crate::{Measured, blocks, growth, pairs, replace, threads};

/// One workload.
pub struct Workload {
    /// The name on the command line and in the table.
    pub name: &'static str,
    /// What it does, for the reader of the table; one operation is named in it.
    pub what: &'static str,
    /// Operations of a full run, chosen for a few tenths of a second.
    pub operations: u64,
    /// Runs that many operations, or a few more to end on a whole step.
    pub run: fn(u64) -> Measured,
}

const fn row(
    name: &'static str,
    operations: u64,
    run: fn(u64) -> Measured,
    what: &'static str,
) -> Workload {
    Workload { name, what, operations, run }
}

const WORKLOADS: [Workload; 20] = [
    row("pair-16", 20_000_000, pairs::pair::<16>, "malloc(16) and free, over and over"),
    row("pair-64", 20_000_000, pairs::pair::<64>, "malloc(64) and free, over and over"),
    row("pair-256", 20_000_000, pairs::pair::<256>, "malloc(256) and free, over and over"),
    row("pair-1024", 20_000_000, pairs::pair::<1024>, "malloc(1024) and free, over and over"),
    row("batch-lifo", 8_000_000, pairs::lifo, "500 blocks of 16 to 255 bytes, freed newest first"),
    row("batch-fifo", 8_000_000, pairs::fifo, "500 blocks of 16 to 255 bytes, freed oldest first"),
    row("churn-small", 6_000_000, replace::small, "10,000 slots of 8 to 511 bytes, one replaced"),
    row("churn", 2_000_000, replace::mixed, "10,000 slots of 8 to 32,767 bytes, one replaced"),
    row("churn-threads", 6_000_000, threads::churn, "as churn-small, in every thread"),
    row(
        "aligned",
        2_000_000,
        replace::aligned,
        "10,000 slots aligned to 32 to 2,048, one replaced",
    ),
    row(
        "handoff",
        4_000_000,
        threads::handoff,
        "one thread allocates 16 to 1,023 bytes, another frees",
    ),
    row("xmalloc", 4_000_000, threads::exchange, "every thread frees what its neighbour allocated"),
    row(
        "larson",
        4_000_000,
        threads::larson,
        "threads replace blocks, hand them to a successor, exit",
    ),
    row("grow-double", 100, growth::doubling, "one block doubled from 64 B to 64 MiB by realloc"),
    row("grow-tenth", 450, growth::tenths, "one block grown by a tenth from 64 B to 64 MiB"),
    row("grow-many", 1_000_000, growth::many, "1,000 blocks doubled in turn from 16 B to 4 KiB"),
    row("calloc-small", 4_000_000, blocks::calloc_small, "10,000 slots of 8 to 1,023 zeroed bytes"),
    row(
        "calloc-large",
        500,
        blocks::calloc_large,
        "calloc of 1 to 8 MiB, each page written, freed",
    ),
    row("big", 500, blocks::big, "32 slots of 64 KiB to 16 MiB, each page written, one replaced"),
    row("big-untouched", 30_000, blocks::untouched, "as big, only the first byte written"),
];

/// The workload of that name.
pub fn find(name: &str) -> Option<&'static Workload> {
    WORKLOADS.iter().find(|workload| workload.name == name)
}

/// Prints every workload as `name`, a tab and what it does.
pub fn print() {
    for workload in &WORKLOADS {
        println!("{}\t{}", workload.name, workload.what);
    }
}
