//! The tables as Markdown. Every sentence and figure comes from the run; nobody edits the file.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::grid::{Figure, Grid};
use super::stages::Stage;
use super::{Findings, depth, gate, grid};

/// A figure whose rounds spread wider than this is marked.
const NOISY: f64 = 0.05;

/// The whole document.
// Writing to a string cannot fail, here and below.
pub fn render(findings: &Findings, exceeded: &[String]) -> String {
    let mut text = preface(findings);
    limits(&mut text, findings, exceeded);
    let _ = write!(text, "\n## Time\n\n{TIME}\n");
    ratios(&mut text, findings, Figure::Time);
    let _ = write!(text, "\n## Processor time\n\n{CPU}\n");
    ratios(&mut text, findings, Figure::Cpu);
    let _ = write!(text, "\n## Peak memory\n\n{MEMORY}\n");
    ratios(&mut text, findings, Figure::Memory);
    if !findings.depths.names.is_empty() {
        depths(&mut text, findings);
        steps(&mut text, findings);
    }
    if !findings.instructions.is_empty() {
        instructions(&mut text, findings);
    }
    if !findings.stages.is_empty() {
        stages(&mut text, findings);
    }
    let _ = write!(text, "\n## The programs\n\n");
    for (name, what) in findings.programs.names.iter().zip(&findings.programs.what) {
        let _ = writeln!(text, "- **{name}**: {what}.");
    }
    if !findings.absent.is_empty() {
        let _ = write!(text, "\nNot measured:\n\n");
        for line in &findings.absent {
            let _ = writeln!(text, "- {line}.");
        }
    }
    text
}

const TIME: &str = "\
From start to exit; for a server, what its client waited. glibc's column is absolute, the others
are ratios to it. A tilde marks a figure whose rounds spread more than 5 % around their median.";

const CPU: &str = "\
User and system time of the process, all its threads together, as the kernel counts them.";

const MEMORY: &str = "\
The most resident memory the process held at once, as the kernel counts it. That includes the
touched pages of a ledger file, which the kernel can write out and drop.";

const STEPS_TEXT: &str = "
The same by stage, each as the difference of two setups: the allocator (`off`), counting blocks and
bytes (`stats` less `off`), call stacks with all that is counted for them (`full` less `stats`), and
a file behind it (`ledger` less `full`):

| program | allocator | + counters | + call stacks | + ledger | = in all |
|---|---:|---:|---:|---:|---:|
";

fn preface(findings: &Findings) -> String {
    let (options, machine) = (&findings.options, &findings.machine);
    let mut text = String::from("# What tracking costs\n\n");
    text.push_str("Written by a command of this repository; run it to measure your machine:\n\n");
    text.push_str("    cargo build --release\n");
    text.push_str("    cargo run --release --manifest-path benches/compare/Cargo.toml -- tracking");
    text.push_str("\n\n");
    if options.is_quick() {
        text.push_str("**A quick look (`--quick`): too short to be quoted.**\n\n");
    }
    if machine.is_busy() {
        let load = machine.load;
        let _ = writeln!(text, "**Other work was running (load average {load}): noisy.**\n");
    }
    let _ = writeln!(text, "Machine: {}.\n", machine.description);
    text.push_str("| setup | what it is |\n|---|---|\n");
    for setup in &findings.setups.all {
        let _ = writeln!(text, "| {} | {} |", setup.name, setup.version);
    }
    let _ = write!(
        text,
        "
Method: every setup is preloaded (`LD_PRELOAD`) into the same programs, none of which was built for
it. Program by program, {} rounds after one that is thrown away; in a round every setup runs the
program once, one after the other, and each round starts with another one. Figures are medians over
the rounds; a setup that takes more than {} times as long as glibc runs once. A program must print
the same under every setup.

The profilers of others run first at a {} of the length, once, beside glibc at that length. One
that takes more than {} times as long as glibc there is not run again, for it could take hours: its
figures are ratios at that length, and have an asterisk. The others run {} rounds. dhat-rs cannot be
preloaded: it is measured on the Rust programs, rebuilt with it, and its mean is of those alone.
heaptrack writes its trace to a file that is deleted after each run; the interpreter and the
compressor its script runs beside the program are left out, so its figures are a lower bound.
",
        options.rounds,
        grid::SLOW,
        match options.percent / options.shortened() {
            5 => "fifth",
            _ => "part",
        },
        grid::PEER_SLOW,
        grid::PEER_ROUNDS.min(options.rounds),
    );
    text
}

/// Why one program stands out. Instructions were counted by callgrind, as the difference of runs of
/// 2 and 5 %; records by what `format/layout` says of their sizes.
const TREES: &str = "
`trees` is the hardest case there can be. It does nothing but build and drop trees by recursion, so
each box of a tree is allocated from a call stack of its own, 393 thousand of them, and nearly
always from another one than the box before. A call stack of its own takes about a hundred bytes of
records (a line of counters, 64; the site, 8; its nodes, 32), six times what the box takes: that is
the peak memory. A box, made and dropped, takes 245 instructions under glibc, those of the program
among them, 420 with its bytes counted and 985 with its call stack: to notice which frames are new,
to unwind those, and to find the stack among what is known takes 565, where 2.5 times glibc's time
would leave some 200.
";

/// The limits, and whether this run kept them.
fn limits(text: &mut String, findings: &Findings, exceeded: &[String]) {
    let _ = write!(
        text,
        "
## Limits

`--gate` fails a run in which `full` takes more than {} times glibc's time or {} times its peak
memory (geometric means), or {} times its time on any program, or in which `sample` executes more
than {} times the instructions of `off` on any program.
",
        gate::TIME,
        gate::MEMORY,
        gate::ANY_TIME,
        gate::SAMPLE
    );
    text.push_str(match exceeded.is_empty() {
        true => "\nThis run kept them.\n",
        false => "\nThis run exceeded:\n\n",
    });
    for line in exceeded {
        let _ = writeln!(text, "- {line}");
    }
    text.push_str(TREES);
    let failures = findings.programs.failures.iter().chain(&findings.depths.failures);
    let of_peers: Vec<_> =
        failures.filter(|failure| !findings.setups.is_ours(failure.column)).collect();
    if !of_peers.is_empty() {
        text.push_str("\nRuns of others that failed:\n\n");
        for failure in of_peers {
            let _ = writeln!(text, "- {}", failure.message);
        }
    }
}

/// A table of one figure: glibc absolute, the rest as ratios, the means last.
fn ratios(text: &mut String, findings: &Findings, figure: Figure) {
    let grid = &findings.programs;
    head(text, findings, if figure == Figure::Memory { "glibc holds" } else { "glibc takes" });
    for (row, name) in grid.names.iter().enumerate() {
        let _ = write!(text, "| {name} | {} |", absolute(grid, row, figure));
        for column in 1..findings.setups.all.len() {
            let cell = grid.ratio(row, column, figure).map_or_else(
                || missing(findings, name, column),
                |ratio| {
                    let mark = if figure == Figure::Time { mark(grid, row, column) } else { "" };
                    format!("{mark}{ratio:.2}{}", shorter(grid, row, column))
                },
            );
            let _ = write!(text, " {cell} |");
        }
        text.push('\n');
    }
    let _ = write!(text, "| *geometric mean* | |");
    for column in 1..findings.setups.all.len() {
        let mean = grid.mean(column, figure).map_or(String::new(), |mean| format!("*{mean:.2}*"));
        let _ = write!(text, " {mean} |");
    }
    text.push('\n');
}

fn head(text: &mut String, findings: &Findings, base: &str) {
    let _ = write!(text, "\n| program | {base} |");
    for setup in &findings.setups.all[1..] {
        let _ = write!(text, " {} |", setup.name);
    }
    let _ = writeln!(text, "\n|---|{}", "---:|".repeat(findings.setups.all.len()));
}

fn absolute(grid: &Grid, row: usize, figure: Figure) -> String {
    match (&grid.cells[row][0], figure) {
        (None, _) => "failed".to_string(),
        (Some(cell), Figure::Time) => format!("{}{:.2} s", mark(grid, row, 0), cell.time),
        (Some(cell), Figure::Cpu) => format!("{:.2} s", cell.cpu),
        (Some(cell), Figure::Memory) => format!("{:.1} MiB", cell.peak_kib as f64 / 1024.0),
    }
}

/// Instead of a figure.
fn missing(findings: &Findings, program: &str, column: usize) -> String {
    if findings.setups.serves(column, program) { "failed" } else { "–" }.to_string()
}

/// Whether a figure is of a shorter run.
fn shorter(grid: &Grid, row: usize, column: usize) -> &'static str {
    if grid.shorter[row][column].is_some() { "\\*" } else { "" }
}

fn mark(grid: &Grid, row: usize, column: usize) -> &'static str {
    match &grid.cells[row][column] {
        Some(cell) if cell.spread > NOISY => "~",
        _ => "",
    }
}

/// Nanoseconds per pair of malloc and free.
fn depths(text: &mut String, findings: &Findings) {
    let _ = write!(
        text,
        "
## One block

Nanoseconds of a malloc and its free, by the number of frames beneath malloc (`-10`, `-30`,
`-100`), on one thread:

"
    );
    for (name, what) in depth::PATTERNS {
        let _ = writeln!(text, "- **{name}**: {what}.");
    }
    let grid = &findings.depths;
    head(text, findings, "glibc");
    for (row, name) in grid.names.iter().enumerate() {
        let _ = write!(text, "| {name} |");
        for (column, cell) in grid.cells[row].iter().enumerate() {
            let shown = cell.as_ref().map_or_else(
                || missing(findings, name, column),
                |cell| {
                    let (mark, shorter) = (mark(grid, row, column), shorter(grid, row, column));
                    format!("{mark}{:.1}{shorter}", cell.time)
                },
            );
            let _ = write!(text, " {shown} |");
        }
        text.push('\n');
    }
}

/// What each step from mode to mode adds, in nanoseconds per pair.
fn steps(text: &mut String, findings: &Findings) {
    const STEPS: [(&str, &str); 4] =
        [("", "off"), ("off", "stats"), ("stats", "full"), ("full", "ledger")];
    let column = |name: &str| findings.setups.column(name);
    if STEPS.iter().any(|(_, to)| column(to).is_none()) {
        return;
    }
    text.push_str(STEPS_TEXT);
    let grid = &findings.depths;
    for (row, name) in grid.names.iter().enumerate() {
        let time = |setup: &str| match column(setup) {
            Some(column) => grid.cells[row][column].as_ref().map(|cell| cell.time),
            None => Some(0.0),
        };
        let shown = |value: Option<f64>| value.map_or("failed".into(), |time| format!("{time:.1}"));
        let _ = write!(text, "| {name} |");
        for (from, to) in STEPS {
            let step = time(to).zip(time(from)).map(|(to, from)| to - from);
            let _ = write!(text, " {} |", shown(step));
        }
        let _ = writeln!(text, " {} |", shown(time("ledger")));
    }
}

/// Sampling over no tracking.
fn instructions(text: &mut String, findings: &Findings) {
    let _ = write!(
        text,
        "
## Sampling, in instructions

Counted by callgrind in the whole process, start and exit included, with programs at {} % of their
length. Servers are left out: what they execute depends on when they are asked.

| program | off | sample | sample / off |
|---|---:|---:|---:|
",
        findings.options.shortened()
    );
    for counted in &findings.instructions {
        let millions = |count: u64| format!("{:.1} million", count as f64 / 1e6);
        let (off, sample) = (millions(counted.off), millions(counted.sample));
        let _ = writeln!(text, "| {} | {off} | {sample} | {:.4} |", counted.name, counted.ratio());
    }
}

/// Instructions per pair, by folder of the library.
fn stages(text: &mut String, findings: &Findings) {
    let _ = write!(
        text,
        "
## Where a tracked block's instructions go

Instructions of a malloc and its free, by the folder of Heapsight's sources they come from, counted
by callgrind as the difference of a long and a short run. What the compiler put in place of a call
into Rust's own library counts for the folder it stands in the midst of. `capi` and `runtime` lead
from malloc to the heap, `heap` is the allocator, `unwind` knows the call stack, `track` counts;
\"other objects\" are the program itself and the C library. `off` and `stats` know no call stacks,
so one depth tells all. The time is that of the table above.

"
    );
    let cost = |stage: &Stage, folder: &str| stage.folders.get(folder).copied().unwrap_or(0.0);
    let folders: BTreeSet<&String> =
        findings.stages.iter().flat_map(|stage| stage.folders.keys()).collect();
    let folders: Vec<&String> = folders
        .into_iter()
        .filter(|folder| findings.stages.iter().any(|stage| cost(stage, folder) >= 0.5))
        .collect();
    let names = folders.iter().map(|folder| format!(" {folder} |")).collect::<String>();
    let _ = writeln!(text, "| pattern | setup |{names} all | ns |");
    let _ = writeln!(text, "|---|---|{}", "---:|".repeat(folders.len() + 2));
    for stage in &findings.stages {
        let _ = write!(text, "| {} | {} |", stage.name, stage.setup);
        for folder in &folders {
            let _ = write!(text, " {:.0} |", cost(stage, folder));
        }
        let time = nanoseconds(findings, stage).map_or(String::new(), |time| format!("{time:.1}"));
        let _ = writeln!(text, " {:.0} | {time} |", stage.folders.values().sum::<f64>());
    }
}

/// The measured time of a pair, by pattern, depth and setup.
fn nanoseconds(findings: &Findings, stage: &Stage) -> Option<f64> {
    let column = findings.setups.column(stage.setup)?;
    let row = findings.depths.names.iter().position(|name| *name == stage.name)?;
    findings.depths.cells[row][column].as_ref().map(|cell| cell.time)
}
