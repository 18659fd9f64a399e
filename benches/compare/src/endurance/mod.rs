//! `compare endurance`: a ledger of very many events.
//!
//! A program that does nothing but allocate and free, from some thousand call stacks, runs once
//! with full tracking. It says what it did; the ledger must say the same, to the last byte.

mod ledger;
mod options;

use std::fmt::Write as _;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::allocator::{self, Allocator};
use crate::machine::Machine;
use crate::programs::Scratch;
use crate::tracking::cases;
use crate::{build, measure, write};

use ledger::{Counted, Ledger};
use options::Options;

/// How large the ledger may become, in MiB: the default.
const BOUND_MIB: u64 = 256;
/// How long its report may take, in seconds: the median of so many.
const REPORT: f64 = 2.0;
const REPORTS: usize = 3;

/// What the program did, by its own account.
struct Done {
    /// Blocks and bytes, all allocated and all freed.
    counted: Counted,
    seconds: f64,
}

/// Everything one run found out.
struct Findings {
    options: Options,
    machine: Machine,
    version: String,
    done: Done,
    ledger: Ledger,
    length: u64,
    touched: u64,
    /// Seconds until the report was written, the fastest first.
    reports: Vec<f64>,
}

/// Runs the program; returns the limits it broke.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    let machine = Machine::observe();
    let built = build::build(&[])?;
    let scratch = Scratch::new()?;
    let allocator = allocator::heapsight(&built.workload, &options.library)?;
    let program = cases::compile(&scratch, "endurance.c")?;
    let path = scratch.path().join("ledger");
    eprintln!("compare: {} events", options.events);
    let done = endure(&program, &allocator, &path, &options)?;
    let object = allocator.preload.as_deref().unwrap_or(Path::new(""));
    let command = object.parent().unwrap_or(Path::new("")).join("heapsight");
    let mut reports = Vec::new();
    for _ in 0..REPORTS {
        reports.push(report(&command, &path)?);
    }
    reports.sort_by(f64::total_cmp);
    let ledger = ledger::read(&command, &path, &program)?;
    let data = path.metadata().map_err(|error| format!("the ledger: {error}"))?;
    // The system counts a file's blocks in units of 512 bytes, whatever its own are.
    let (length, touched) = (data.len(), data.blocks() * 512);
    let version = allocator.version;
    let findings = Findings { options, machine, version, done, ledger, length, touched, reports };
    let broken = findings.broken();
    let text = findings.document(&broken);
    println!("{text}");
    if let Some(path) = &findings.options.out {
        write(path, &text)?;
    }
    Ok(if findings.options.gate { broken } else { Vec::new() })
}

/// Runs the program with a ledger.
fn endure(
    program: &Path,
    allocator: &Allocator,
    ledger: &Path,
    options: &Options,
) -> Result<Done, String> {
    let fail = |what: String| format!("endurance: {what}");
    let mut value = std::ffi::OsString::from(format!("ledger_size={BOUND_MIB},track=full,ledger="));
    value.push(ledger);
    let setup = Allocator { environment: vec![("HEAPSIGHT", value)], ..allocator.clone() };
    let mut command = Command::new(program);
    command.args([(options.events / 2).to_string(), options.threads.to_string()]);
    measure::prepare(&mut command, &setup);
    let output = command.output().map_err(|error| fail(error.to_string()))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = measure::last_line(&messages);
        return Err(fail(format!("ended with {}: {last}", output.status)));
    }
    measure::objection(&messages).map_err(fail)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let numbers: Vec<u64> = text.split_whitespace().map_while(|word| word.parse().ok()).collect();
    let [blocks, bytes, nanoseconds] = numbers[..] else {
        return Err(fail("printed no measurement".to_string()));
    };
    let counted = Counted { blocks, bytes, frees: blocks, freed_bytes: bytes };
    Ok(Done { counted, seconds: nanoseconds as f64 / 1e9 })
}

/// Seconds that the report takes, as a user asks for it.
fn report(command: &Path, ledger: &Path) -> Result<f64, String> {
    let start = Instant::now();
    let status = Command::new(command).arg("report").arg(ledger).stdout(Stdio::null()).status();
    let status = status.map_err(|error| format!("cannot run {}: {error}", command.display()))?;
    match status.success() {
        true => Ok(start.elapsed().as_secs_f64()),
        false => Err(format!("the report ended with {status}")),
    }
}

impl Findings {
    fn report_seconds(&self) -> f64 {
        self.reports.get(self.reports.len() / 2).copied().unwrap_or(f64::INFINITY)
    }

    /// The limits that were not kept.
    fn broken(&self) -> Vec<String> {
        let mut lines = Vec::new();
        if self.ledger.program != self.done.counted {
            let (did, counted) = (self.done.counted, self.ledger.program);
            lines.push(format!("the program did {did:?}, the ledger has {counted:?}"));
        }
        if self.ledger.lost > 0 {
            lines.push(format!("{} records found no room in the ledger", self.ledger.lost));
        }
        let bound = BOUND_MIB << 20;
        if self.length > bound || self.touched > bound {
            let (length, touched) = (self.length, self.touched);
            lines.push(format!("the ledger has {length} bytes, {touched} of them in use"));
        }
        let seconds = self.report_seconds();
        if seconds > REPORT {
            lines.push(format!("its report took {seconds:.2} s, more than {REPORT}"));
        }
        lines
    }

    // Writing to a string cannot fail.
    fn document(&self, broken: &[String]) -> String {
        let (options, done, ledger) = (&self.options, &self.done, &self.ledger);
        let mebibytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
        let pair = done.seconds * 1e9 * options.threads as f64 / done.counted.blocks.max(1) as f64;
        let mut text = format!(
            "# A ledger of {:.0e} events

Written by a command of this repository:

    cargo build --release
    cargo run --release --manifest-path benches/compare/Cargo.toml -- endurance \\
        --out docs/endurance.md

Machine: {}. Heapsight {}, `track=full,ledger=FILE`.

A program allocates and frees on {} threads, each with 512 blocks of 16 to 143 bytes in use, from
4096 call stacks at random (`workloads/endurance.c`). It counts what it does; the ledger must have
counted the same at the call stacks that end in the program.

| | the program | the ledger |
|---|---:|---:|
",
            options.events as f64, self.machine.description, self.version, options.threads
        );
        let (did, counted) = (done.counted, ledger.program);
        for (what, did, counted) in [
            ("allocations", did.blocks, counted.blocks),
            ("bytes allocated", did.bytes, counted.bytes),
            ("frees", did.frees, counted.frees),
            ("bytes freed", did.freed_bytes, counted.freed_bytes),
        ] {
            let _ = writeln!(text, "| {what} | {did} | {counted} |");
        }
        let _ = write!(
            text,
            "
Beside them the ledger has {} blocks that libraries allocated for the program.

| | | limit |
|---|---:|---:|
| call stacks | {} | |
| records that found no room | {} | 0 |
| the ledger's length | {:.1} MiB | {BOUND_MIB} MiB |
| of it touched, and so on disk | {:.1} MiB | {BOUND_MIB} MiB |
| `heapsight report`, median of {REPORTS} | {:.2} s | {REPORT} s |
| the program's time | {:.1} s | |
| a malloc and its free, on each thread | {pair:.0} ns | |
",
            ledger.others,
            ledger.stacks,
            ledger.lost,
            mebibytes(self.length),
            mebibytes(self.touched),
            self.report_seconds(),
            done.seconds,
        );
        text.push_str(match broken.is_empty() {
            true => "\nEvery block was counted, and every limit kept.\n",
            false => "\nBroken:\n\n",
        });
        for line in broken {
            let _ = writeln!(text, "- {line}.");
        }
        text
    }
}
