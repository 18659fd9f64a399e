//! `compare`: Heapsight beside glibc, mimalloc, jemalloc and snmalloc.
//!
//! The peers are built from source by their crates and preloaded, as Heapsight is, into the same
//! programs: one that only allocates (`workload/`) and whole programs of this machine. Rounds are
//! interleaved (A B C B C A …), so what disturbs the machine disturbs everybody, and the figures
//! are medians over the rounds of one run.
//!
//! Further commands answer other questions: `tracking` what the tracking modes cost, `agree`
//! whether heaptrack counts the same, `leaks` whether other tools call the same blocks lost,
//! `search` what a search for leaks costs, `mem` what the memory routines take, `endurance` whether
//! a ledger keeps its bounds in a long run.

mod agree;
mod allocator;
mod arguments;
mod build;
mod document;
mod endurance;
mod json;
mod leaks;
mod machine;
mod measure;
mod mem;
mod programs;
mod results;
mod rounds;
mod row;
mod search;
mod tracking;

use std::path::Path;
use std::process::ExitCode;

use arguments::Arguments;
use machine::Machine;
use results::Results;

/// Ends with 1 when a gate was exceeded, with 2 when there is no result.
fn main() -> ExitCode {
    let mut words = std::env::args().skip(1).peekable();
    let is_command = |word: &String| !word.starts_with('-');
    let outcome = match words.next_if(is_command).as_deref() {
        Some("tracking") => tracking::run(words),
        Some("agree") => agree::run(words),
        Some("leaks") => leaks::run(words),
        Some("search") => search::run(words),
        Some("mem") => mem::run(words),
        Some("endurance") => endurance::run(words),
        Some(other) => Err(format!("unknown command {other}; --help lists the commands")),
        None => compare(words),
    };
    match outcome {
        Ok(exceeded) if exceeded.is_empty() => ExitCode::SUCCESS,
        Ok(exceeded) => {
            for line in exceeded {
                eprintln!("compare: {line}");
            }
            ExitCode::from(1)
        }
        Err(message) => {
            eprintln!("compare: {message}");
            ExitCode::from(2)
        }
    }
}

/// Runs everything asked for; returns the rows that exceed the gate.
fn compare(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(arguments) = Arguments::parse(words)? else {
        println!("{}", arguments::USAGE);
        return Ok(Vec::new());
    };
    let machine = Machine::observe();
    if machine.is_busy() {
        eprintln!(
            "compare: the machine is busy (load {}); the figures will be noisy",
            machine.load
        );
    }
    let built = build::build(&arguments.peers)?;
    let allocators = allocator::line_up(&built, &arguments)?;
    let scratch = programs::Scratch::new()?;
    let (rows, absent) = row::select(&built.workload, &scratch, &arguments)?;
    let samples = rounds::run(&rows, &allocators, &arguments)?;
    let results = Results::new(&rows, &allocators, &samples);

    let document = document::render(&results, &absent, &machine, &arguments);
    println!("{document}");
    if let Some(path) = arguments.document() {
        write(&path, &document)?;
    }
    if let Some(path) = &arguments.json {
        write(path, &json::render(&results, &absent, &machine, &arguments)?)?;
    }
    Ok(arguments.gate.map_or_else(Vec::new, |limit| results.exceeding(limit)))
}

fn write(path: &Path, text: &str) -> Result<(), String> {
    std::fs::write(path, text)
        .map_err(|error| format!("cannot write {}: {error}", path.display()))?;
    eprintln!("compare: wrote {}", path.display());
    Ok(())
}
