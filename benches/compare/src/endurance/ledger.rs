//! What the ledger counted, by the command's own report as JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

use serde::Deserialize;

/// Allocations and frees.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Blocks allocated.
    pub blocks: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Their bytes.
    pub freed_bytes: u64,
}

/// What is in a ledger.
#[derive(Debug, Default, PartialEq)]
pub struct Ledger {
    /// Of call stacks whose innermost call is in the program.
    pub program: Counted,
    /// Blocks of all other call stacks.
    pub others: u64,
    /// Call stacks.
    pub stacks: usize,
    /// Records that found no room, and blocks that were not seen.
    pub lost: u64,
}

#[derive(Deserialize)]
struct Report {
    tracking: Tracking,
    sites: Vec<Site>,
}

#[derive(Deserialize)]
struct Tracking {
    unseen: u64,
    refused_stacks: u64,
    refused: BTreeMap<String, u64>,
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
    frees: u64,
    freed_bytes: u64,
}

#[derive(Deserialize)]
struct Frame {
    module: Option<String>,
}

/// Reads a ledger of `program`.
pub fn read(command: &Path, ledger: &Path, program: &Path) -> Result<Ledger, String> {
    let mut command = Command::new(command);
    command.arg("report").arg(ledger);
    command.args(["--no-symbols", "--by", "count", "--top", "0", "--json"]);
    let output = command.output().map_err(|error| format!("heapsight report: {error}"))?;
    sum(&output.stdout, &program.to_string_lossy())
}

fn sum(json: &[u8], program: &str) -> Result<Ledger, String> {
    let Report { tracking, sites } =
        serde_json::from_slice(json).map_err(|error| format!("heapsight report: {error}"))?;
    let refused: u64 = tracking.refused.values().sum();
    let lost = tracking.unseen + tracking.refused_stacks + refused;
    let mut ledger = Ledger { stacks: sites.len(), lost, ..Ledger::default() };
    for Site { counters, stack } in sites {
        let innermost = stack.first().and_then(|frame| frame.module.as_deref());
        if innermost == Some(program) {
            ledger.program.blocks += counters.allocations;
            ledger.program.bytes += counters.bytes;
            ledger.program.frees += counters.frees;
            ledger.program.freed_bytes += counters.freed_bytes;
        } else {
            ledger.others += counters.allocations;
        }
    }
    Ok(ledger)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_own_stacks_are_told_apart() {
        let json =
            br#"{ "tracking": { "unseen": 1, "refused_stacks": 0, "refused": { "node": 2 } },
            "sites": [
              { "counters": { "allocations": 5, "bytes": 50, "frees": 4, "freed_bytes": 40 },
                "stack": [{ "module": "/bin/own" }, { "module": "/lib/libc.so" }] },
              { "counters": { "allocations": 3, "bytes": 9, "frees": 3, "freed_bytes": 9 },
                "stack": [{ "module": "/lib/libc.so" }, { "module": "/bin/own" }] } ] }"#;
        let program = Counted { blocks: 5, bytes: 50, frees: 4, freed_bytes: 40 };
        let expected = Ledger { program, others: 3, stacks: 2, lost: 3 };
        assert_eq!(sum(json, "/bin/own"), Ok(expected));
    }
}
