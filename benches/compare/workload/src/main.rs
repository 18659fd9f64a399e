//! The allocation workloads, in one program that knows no allocator.
//!
//! Every workload calls libc's `malloc` family by its plain name, so whatever shared object is
//! preloaded serves it, and the same bytes of code run on top of every allocator. A run prints one
//! line, `operations nanoseconds peak_kib`; only the work itself is timed, not the start of the
//! process.

mod blocks;
mod growth;
mod heap;
mod pairs;
mod provider;
mod queue;
mod random;
mod replace;
mod table;
mod threads;

use std::process::ExitCode;
use std::time::Duration;

/// What one run of a workload did, and how long that took.
pub struct Measured {
    /// Operations as the workload counts them; its description says what one is.
    pub operations: u64,
    /// The time they took together.
    pub elapsed: Duration,
}

const USAGE: &str = "usage: workload list | provider | NAME PERCENT";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let outcome = match words[..] {
        ["list"] => {
            table::print();
            Ok(())
        }
        ["provider"] => provider::print(),
        [name, percent] => run(name, percent),
        _ => Err(USAGE.to_string()),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("workload: {message}");
            ExitCode::FAILURE
        }
    }
}

/// Runs one workload at `percent` of its full length and prints what it took.
fn run(name: &str, percent: &str) -> Result<(), String> {
    let workload = table::find(name)
        .ok_or_else(|| format!("no workload is named {name}; `workload list` names them all"))?;
    let percent: u64 = percent
        .parse()
        .ok()
        .filter(|percent| (1..=1000).contains(percent))
        .ok_or_else(|| format!("the length must be 1 to 1000 percent, not {percent}"))?;
    let measured = (workload.run)((workload.operations * percent / 100).max(1));
    let nanoseconds = measured.elapsed.as_nanos();
    println!("{} {nanoseconds} {}", measured.operations, peak_kib()?);
    Ok(())
}

/// The most memory this process has held at once, from the kernel.
///
/// `getrusage` would not do: its figure survives `exec`, so it starts at the peak of the program
/// that started this one.
fn peak_kib() -> Result<u64, String> {
    let status = std::fs::read_to_string("/proc/self/status")
        .map_err(|error| format!("cannot read /proc/self/status: {error}"))?;
    status
        .lines()
        .find_map(|line| line.strip_prefix("VmHWM:"))
        .and_then(|rest| rest.trim().trim_end_matches("kB").trim().parse().ok())
        .ok_or_else(|| "/proc/self/status has no VmHWM line".to_string())
}
