//! The tables as Markdown. Every sentence and figure comes from the run; nobody edits the file.

use std::fmt::Write as _;

use crate::arguments::Arguments;
use crate::machine::Machine;
use crate::results::{Results, geometric_mean};
use crate::row::{Absent, Clock, Row};

/// A row whose rounds spread wider than this is marked.
const NOISY: f64 = 0.05;

/// The whole document.
pub fn render(
    results: &Results,
    absent: &[Absent],
    machine: &Machine,
    arguments: &Arguments,
) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = write!(text, "{}", preface(results, machine, arguments));
    let _ = write!(text, "\n## Time\n\n{}\n", time_note());
    table(&mut text, results, "glibc takes", &time_cell, &|row, column, base| {
        results.ratio(row, column, base)
    });
    let _ = write!(text, "\n## Peak memory\n\n{MEMORY_NOTE}\n");
    table(&mut text, results, "glibc holds", &memory_cell, &|row, column, base| {
        results.memory_ratio(row, column, base)
    });
    let _ = write!(text, "\n## The rows\n\n");
    for row in results.rows {
        let _ = writeln!(text, "- **{}**: {}.", row.name, row.what);
    }
    for row in absent {
        let _ = writeln!(text, "- **{}**: not measured; {}.", row.name, row.reason);
    }
    text
}

const MEMORY_NOTE: &str = "\
The most resident memory the process held at once. glibc's column is absolute, the others are
ratios to it. A process that does nothing holds about 2 MiB on glibc, so the rows that allocate
little show what an allocator takes before it is used.";

fn time_note() -> String {
    format!(
        "glibc's column is absolute (per operation, or for the whole program), the others are ratios
to it: below 1.00 is faster than glibc. A tilde marks a figure whose rounds spread more than
{:.0} % around their median.",
        NOISY * 100.0
    )
}

fn preface(results: &Results, machine: &Machine, arguments: &Arguments) -> String {
    let mut text = String::from("# Performance, side by side\n\n");
    text.push_str("Written by a command of this repository; run it to measure your machine:\n\n");
    text.push_str("    cargo build --release\n");
    text.push_str("    cargo run --release --manifest-path benches/compare/Cargo.toml\n\n");
    if arguments.is_quick() {
        text.push_str("**A quick look (`--quick`): too short to be quoted.**\n\n");
    }
    if machine.is_busy() {
        let load = machine.load;
        let _ = writeln!(text, "**Other work was running (load average {load}): noisy.**\n");
    }
    let _ = writeln!(text, "Machine: {}.\n", machine.description);
    text.push_str("| allocator | version |\n|---|---|\n");
    for allocator in results.allocators {
        let _ = writeln!(text, "| {} | {} |", allocator.name, allocator.version);
    }
    let _ = write!(
        text,
        "
Method: every allocator is a shared object preloaded (`LD_PRELOAD`) into the same programs, with
its default settings; the peers are built from source by their crates at the highest optimisation
and pay one direct jump a call for the plain names. Row by row, {} rounds after one that is thrown
away; in a round every allocator runs the row once, one after the other, and each round starts with
another one. Figures are medians over the rounds. The allocating program times its own work; whole
programs are timed from start to exit, and their output is checked to be the same on every
allocator.
",
        arguments.rounds
    );
    text
}

/// One table: glibc absolute, the rest as ratios, Heapsight over mimalloc last.
fn table(
    text: &mut String,
    results: &Results,
    base_title: &str,
    cell: &dyn Fn(&Results, usize, usize) -> String,
    ratio: &dyn Fn(usize, usize, usize) -> f64,
) {
    let gate = results.column("heapsight").zip(results.column("mimalloc"));
    let columns = 1..results.allocators.len();
    let mut head = format!("\n| row | {base_title} |");
    for column in columns.clone() {
        let _ = write!(head, " {} |", results.allocators[column].name);
    }
    if gate.is_some() {
        head.push_str(" heapsight / mimalloc |");
    }
    let rule = "---:|".repeat(head.matches('|').count() - 2);
    let _ = writeln!(text, "{head}\n|---|{rule}");
    for (index, row) in results.rows.iter().enumerate() {
        let _ = write!(text, "| {} | {} |", row.name, cell(results, index, 0));
        for column in columns.clone() {
            let _ = write!(text, " {} |", cell(results, index, column));
        }
        if let Some((ours, base)) = gate {
            let _ = write!(text, " {:.2} |", ratio(index, ours, base));
        }
        text.push('\n');
    }
    let mean =
        |column, base| geometric_mean((0..results.rows.len()).map(|r| ratio(r, column, base)));
    let _ = write!(text, "| *geometric mean* | |");
    for column in columns {
        let _ = write!(text, " *{:.2}* |", mean(column, 0));
    }
    if let Some((ours, base)) = gate {
        let _ = write!(text, " *{:.2}* |", mean(ours, base));
    }
    text.push('\n');
}

fn time_cell(results: &Results, row: usize, column: usize) -> String {
    let cell = &results.cells[row][column];
    let mark = if cell.spread > NOISY { "~" } else { "" };
    if column == 0 {
        format!("{mark}{}", duration(&results.rows[row], cell.time))
    } else {
        format!("{mark}{:.2}", results.ratio(row, column, 0))
    }
}

fn memory_cell(results: &Results, row: usize, column: usize) -> String {
    if column == 0 {
        format!("{:.1} MiB", results.cells[row][0].peak_kib as f64 / 1024.0)
    } else {
        format!("{:.2}", results.memory_ratio(row, column, 0))
    }
}

/// A time in the unit a reader expects.
fn duration(row: &Row, time: f64) -> String {
    match row.clock {
        Clock::Wall => format!("{time:.2} s"),
        Clock::Own if time >= 1e6 => format!("{:.1} ms", time / 1e6),
        Clock::Own if time >= 1e4 => format!("{:.1} µs", time / 1e3),
        Clock::Own => format!("{time:.1} ns"),
    }
}
