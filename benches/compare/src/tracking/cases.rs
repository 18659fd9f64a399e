//! The programs: small ones compiled here from `workloads/`, and whole ones of this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::server::Server;
use crate::programs::{PROGRAMS, Scratch, row};
use crate::row::Row;

/// One program to run under every setup.
pub struct Case {
    /// What to start.
    pub row: Row,
    /// How to talk to it, when it is a server.
    pub server: Option<Server>,
}

impl From<Row> for Case {
    fn from(row: Row) -> Self {
        Self { row, server: None }
    }
}

/// The programs compiled here, and what they do.
const COMPILED: [(&str, &str); 5] = [
    ("tiny.c", "a factoring program that allocates every number: tiny blocks, a shallow stack"),
    ("maps.cpp", "C++ maps of strings: an index built, regrouped and erased"),
    ("json.rs", "JSON parsed in Rust into values that own their parts"),
    ("trees.rs", "Rust trees of boxes by recursion: each node has a call stack of its own"),
    ("server.cpp", "four threads that answer a fifth's requests, for a sixth to free"),
];

/// Every program this machine can run; the others are named in `absent`.
pub fn prepare(
    scratch: &Scratch,
    percent: u32,
    only: &[String],
    absent: &mut Vec<String>,
) -> Result<Vec<Case>, String> {
    let selects = |name: &str| only.is_empty() || only.iter().any(|part| name.contains(part));
    let mut cases = Vec::new();
    let mut take = |name: &str, case: Result<Case, String>| match case {
        Ok(case) => cases.push(case),
        Err(reason) => {
            eprintln!("compare: leaving out {name}: {reason}");
            absent.push(format!("{name}: {reason}"));
        }
    };
    for (source, what) in COMPILED {
        let name = source.split_once('.').map_or(source, |(name, _)| name);
        if selects(name) {
            let case = compile(scratch, source).map(|program| {
                Case::from(row(name, what.to_string(), program, &[&percent.to_string()]))
            });
            take(name, case);
        }
    }
    for (name, prepare) in PROGRAMS {
        if selects(name) {
            take(name, prepare(scratch, percent).map(Case::from));
        }
    }
    if selects("redis") {
        take("redis", Server::find(scratch, percent));
    }
    if cases.is_empty() {
        return Err(format!("no program's name contains {}", only.join(" or ")));
    }
    Ok(cases)
}

/// Compiles one of `workloads/` for the system's allocator; an earlier result is used again.
pub fn compile(scratch: &Scratch, source: &str) -> Result<PathBuf, String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("workloads").join(source);
    let output = scratch.path().join(path.file_stem().unwrap_or_default());
    if output.exists() {
        return Ok(output);
    }
    let (compiler, flags): (_, &[&str]) = match path.extension().and_then(|kind| kind.to_str()) {
        Some("rs") => ("rustc", &["--edition", "2024", "-O"]),
        Some("cpp") => ("c++", &["-std=c++17", "-O2", "-pthread"]),
        _ => ("cc", &["-O2"]),
    };
    let mut command = Command::new(compiler);
    let result = command.args(flags).arg(&path).arg("-o").arg(&output).output();
    let result = result.map_err(|error| format!("cannot run {compiler}: {error}"))?;
    if !result.status.success() {
        let messages = String::from_utf8_lossy(&result.stderr);
        let first = messages.lines().find(|line| line.contains("error")).unwrap_or("no message");
        return Err(format!("{compiler} refuses {source}: {first}"));
    }
    Ok(output)
}
