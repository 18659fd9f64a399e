//! `compare agree`: does heaptrack count the same?
//!
//! Every program runs twice, once under heaptrack's recorder and once under full tracking with a
//! ledger. Both runs are compared call stack by call stack, by modules and addresses; each
//! difference must follow a rule that has a name.

mod difference;
mod document;
mod heaptrack;
mod ledger;
mod options;
mod recording;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::allocator::{self, Allocator};
use crate::programs::{Scratch, row};
use crate::row::Row;
use crate::tracking::{cases, setups};
use crate::{build, measure, write};

use difference::Outcome;
use options::Options;
use recording::{Modules, Recording};

/// What runs unless asked otherwise: programs whose allocations depend on nothing but their input.
/// cc1 hashes addresses, and perl and python3 copy the environment, of which heaptrack removes its
/// variables.
const PROGRAMS: [&str; 6] = ["tiny", "maps", "json", "trees", "server", "sqlite3"];

/// One program, recorded twice.
struct Compared {
    name: String,
    what: String,
    modules: Modules,
    theirs: Recording,
    ours: Recording,
    outcome: Outcome,
}

/// What is recorded with, and where to.
struct Recorders {
    /// heaptrack's and ours; their links have paths of the same length.
    preload: [PathBuf; 2],
    interpreter: PathBuf,
    command: PathBuf,
    scratch: Scratch,
}

/// Runs everything asked for; returns what has no explanation.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    let built = build::build(&[])?;
    let scratch = Scratch::new()?;
    let ours = allocator::heapsight(&built.workload, &options.library)?;
    let theirs = setups::heaptrack(scratch.path())?;
    let versions = [theirs.version.clone(), ours.version.clone()];
    let rows = rows(&scratch, &options)?;
    let recorders = Recorders::new(&theirs, &ours, scratch)?;
    let (mut compared, mut broken) = (Vec::new(), Vec::new());
    for row in rows {
        eprintln!("compare: recording {}", row.name);
        let one = recorders.compare(row)?;
        broken.extend(one.outcome.broken.iter().map(|what| format!("{}: {what}", one.name)));
        compared.push(one);
    }
    let text = document::render(&compared, &versions, &options);
    println!("{text}");
    if let Some(path) = &options.out {
        write(path, &text)?;
    }
    Ok(if options.gate { broken } else { Vec::new() })
}

/// The programs of `tracking` that were asked for, without servers.
fn rows(scratch: &Scratch, options: &Options) -> Result<Vec<Row>, String> {
    let asked = match options.only.is_empty() {
        true => PROGRAMS.map(String::from).to_vec(),
        false => options.only.clone(),
    };
    let cases = cases::prepare(scratch, options.percent, &asked, &mut Vec::new())?;
    let rows = cases.into_iter().filter(|case| case.server.is_none()).map(|case| case.row);
    let rows = rows.map(|one| match one.name.as_str() {
        // Full-grown trees have some 400,000 call stacks; these have some thousand.
        "trees" => row("trees", one.what, one.program, &[&one.arguments[0], "9"]),
        _ => one,
    });
    Ok(rows.collect())
}

impl Recorders {
    fn new(theirs: &Allocator, ours: &Allocator, scratch: Scratch) -> Result<Self, String> {
        let of = |one: &Allocator| one.preload.clone().unwrap_or_default();
        let directory = |path: &Path| path.parent().map(Path::to_path_buf).unwrap_or_default();
        let interpreter = directory(&of(theirs)).join("libexec/heaptrack_interpret");
        let command = directory(&of(ours)).join("heapsight");
        for program in [&interpreter, &command] {
            if !program.exists() {
                return Err(format!("{} is not there", program.display()));
            }
        }
        // A program may copy its environment: of the same length it makes the same blocks.
        let link = |name: &str, to: PathBuf| {
            let path = scratch.path().join(name);
            std::os::unix::fs::symlink(to, &path)
                .map_err(|error| format!("cannot link {}: {error}", path.display()))?;
            Ok::<_, String>(path)
        };
        let preload = [link("libheaptrack.so", of(theirs))?, link("libheapsight.so", of(ours))?];
        Ok(Self { preload, interpreter, command, scratch })
    }

    fn compare(&self, row: Row) -> Result<Compared, String> {
        let path = |name: &str| self.scratch.path().join(name);
        let (raw, data, ledger) = (path("agree.raw"), path("agree.data"), path("agree.ledger"));
        // heaptrack writes over an older file, but does not make it shorter.
        let _ = std::fs::remove_file(&raw);
        for preload in &self.preload {
            self.record(&row, preload, &raw, &ledger)?;
        }
        let interpreted = self.interpret(&raw)?;
        let raw = read(&raw)?;
        let mut modules = Modules::default();
        let theirs = heaptrack::read(&raw, &interpreted, &mut modules)?;
        std::fs::write(&data, &interpreted).map_err(|error| error.to_string())?;
        let printed = printed_allocations(&data)?;
        let ours = ledger::read(&self.command, &ledger, &mut modules)?;
        let mut outcome = Outcome::of(&theirs, &ours, &modules, row.name == "server");
        if printed != theirs.totals.blocks {
            outcome.broken.push(format!(
                "heaptrack_print counts {printed} allocations, this program {} in the same file",
                theirs.totals.blocks
            ));
        }
        Ok(Compared { name: row.name, what: row.what, modules, theirs, ours, outcome })
    }

    /// Runs the program once. The variables of both recorders are set in either run.
    fn record(&self, row: &Row, preload: &Path, raw: &Path, ledger: &Path) -> Result<(), String> {
        let fail = |what: String| format!("{} under {}: {what}", row.name, preload.display());
        let mut command = Command::new(&row.program);
        command.args(&row.arguments).envs(row.environment.iter().copied());
        command.env_remove("MALLOC_ARENA_MAX").env("LD_PRELOAD", preload);
        command.env("DUMP_HEAPTRACK_OUTPUT", raw);
        command.env("HEAPSIGHT", format!("track=full,ledger={}", ledger.display()));
        command.stdin(match &row.input {
            Some(path) => {
                Stdio::from(std::fs::File::open(path).map_err(|error| fail(error.to_string()))?)
            }
            None => Stdio::null(),
        });
        let output = command.output().map_err(|error| fail(error.to_string()))?;
        let messages = String::from_utf8_lossy(&output.stderr);
        if !output.status.success() {
            let last = measure::last_line(&messages);
            return Err(fail(format!("ended with {}: {last}", output.status)));
        }
        measure::objection(&messages).map_err(fail)
    }

    fn interpret(&self, raw: &Path) -> Result<String, String> {
        let fail = |error: std::io::Error| format!("heaptrack_interpret: {error}");
        let input = std::fs::File::open(raw).map_err(fail)?;
        let output = Command::new(&self.interpreter).stdin(input).output().map_err(fail)?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}

/// What heaptrack_print makes of the file, so that it is not this program's reading alone.
fn printed_allocations(data: &Path) -> Result<u64, String> {
    let mut command = Command::new("heaptrack_print");
    command.args(["-a", "0", "-p", "0", "-T", "0", "-f"]).arg(data);
    let output = command.output().map_err(|error| format!("heaptrack_print: {error}"))?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("calls to allocation functions: "))
        .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
        .ok_or_else(|| "heaptrack_print tells no number of allocations".to_string())
}

fn read(path: &Path) -> Result<String, String> {
    let bytes = std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
