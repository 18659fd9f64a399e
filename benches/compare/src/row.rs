//! The rows of the table: what runs, and how its time is read.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::arguments::Arguments;
use crate::programs::{self, Scratch};

/// One row.
#[derive(Clone)]
pub struct Row {
    /// Its name in the table and for `--only`.
    pub name: String,
    /// What it does, for the reader.
    pub what: String,
    /// The program to run.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Variables to set, beside the preload.
    pub environment: Vec<(&'static str, &'static str)>,
    /// What it reads from standard input.
    pub input: Option<PathBuf>,
    /// How its time is read.
    pub clock: Clock,
}

/// Where the time of a row comes from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Clock {
    /// The program prints operations, nanoseconds and peak memory: nanoseconds per operation.
    Own,
    /// The time from start to exit; the output must not depend on the allocator.
    Wall,
}

/// A row that was left out, and why.
pub struct Absent {
    /// Its name.
    pub name: &'static str,
    /// What is missing.
    pub reason: String,
}

/// The rows the command line selects, and the ones this machine cannot run.
pub fn select(
    workload: &Path,
    scratch: &Scratch,
    arguments: &Arguments,
) -> Result<(Vec<Row>, Vec<Absent>), String> {
    let is_selected = |name: &str| {
        arguments.only.is_empty() || arguments.only.iter().any(|part| name.contains(part))
    };
    let mut rows = workloads(workload, arguments.percent)?;
    let mut absent = Vec::new();
    for (name, prepare) in programs::PROGRAMS {
        match prepare(scratch, arguments.percent) {
            Ok(row) => rows.push(row),
            Err(reason) => absent.push(Absent { name, reason }),
        }
    }
    rows.retain(|row| is_selected(&row.name));
    absent.retain(|row| is_selected(row.name));
    if rows.is_empty() {
        return Err(format!("no row's name contains {}", arguments.only.join(" or ")));
    }
    for row in &absent {
        eprintln!("compare: leaving out {}: {}", row.name, row.reason);
    }
    Ok((rows, absent))
}

/// The rows of the allocating program, by its own list.
fn workloads(workload: &Path, percent: u32) -> Result<Vec<Row>, String> {
    let output = Command::new(workload)
        .arg("list")
        .output()
        .map_err(|error| format!("cannot list the workloads: {error}"))?;
    let list = String::from_utf8_lossy(&output.stdout);
    let row = |line: &str| {
        let (name, what) = line.split_once('\t')?;
        Some(Row {
            name: name.to_string(),
            what: what.to_string(),
            program: workload.to_path_buf(),
            arguments: vec![name.to_string(), percent.to_string()],
            environment: Vec::new(),
            input: None,
            clock: Clock::Own,
        })
    };
    let rows: Vec<Row> = list.lines().filter_map(row).collect();
    if rows.is_empty() { Err("the workload program lists nothing".to_string()) } else { Ok(rows) }
}
