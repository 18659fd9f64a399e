//! A ledger, by the command's own report as JSON.

use std::path::Path;
use std::process::Command;

use serde::Deserialize;

use super::recording::{Counts, Modules, Recording};

#[derive(Deserialize)]
struct Report {
    totals: Totals,
    sites: Vec<Site>,
}

#[derive(Deserialize)]
struct Totals {
    total_allocations: u64,
    bytes_allocated: u64,
    current_allocations: u64,
    current_bytes: u64,
    peak_bytes: u64,
}

#[derive(Deserialize)]
struct Site {
    counters: Counters,
    stack: Vec<Frame>,
}

#[derive(Deserialize)]
struct Counters {
    allocations: u64,
    bytes: u64,
    live: u64,
    live_bytes: u64,
}

#[derive(Deserialize)]
struct Frame {
    function: Option<String>,
    module: Option<String>,
    address: u64,
    inlined: bool,
}

/// Reads one run: once by addresses, for what is counted, and once by names, for the reader.
pub fn read(command: &Path, ledger: &Path, modules: &mut Modules) -> Result<Recording, String> {
    let Report { totals, sites } = report(command, ledger, &["--no-symbols"])?;
    let mut recording = Recording {
        totals: Counts {
            blocks: totals.total_allocations,
            bytes: totals.bytes_allocated,
            left: totals.current_allocations,
            left_bytes: totals.current_bytes,
        },
        peak: totals.peak_bytes,
        peak_moving: totals.peak_bytes,
        ..Recording::default()
    };
    let mut call = |frame: &Frame| {
        (modules.number(frame.module.as_deref().unwrap_or_default()), frame.address)
    };
    for Site { counters, stack } in sites {
        let counts = Counts {
            blocks: counters.allocations,
            bytes: counters.bytes,
            left: counters.live,
            left_bytes: counters.live_bytes,
        };
        let calls = stack.iter().filter(|frame| !frame.inlined).map(&mut call).collect();
        recording.count(calls, counts);
    }
    for Site { stack, .. } in report(command, ledger, &[])?.sites {
        for calls in stack.chunk_by(|inner, _| inner.inlined) {
            let names = calls.iter().filter_map(|frame| frame.function.clone()).collect();
            recording.names.insert(call(&calls[0]), names);
        }
    }
    Ok(recording)
}

fn report(command: &Path, ledger: &Path, flags: &[&str]) -> Result<Report, String> {
    let fail = |what: String| format!("{} report: {what}", command.display());
    let mut command = Command::new(command);
    command.arg("report").arg(ledger).args(["--by", "count", "--top", "0", "--json"]).args(flags);
    let output = command.output().map_err(|error| fail(error.to_string()))?;
    if !output.status.success() {
        return Err(fail(String::from_utf8_lossy(&output.stderr).trim().to_string()));
    }
    serde_json::from_slice(&output.stdout).map_err(|error| fail(error.to_string()))
}
