//! The comparison as Markdown. Every sentence and figure comes from the run; nobody edits the file.

use std::cmp::Reverse;
use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::Compared;
use super::difference::Reason;
use super::options::Options;
use super::recording::{CALLS, Counts, Stack};

/// So many call stacks are listed.
const TOP: usize = 10;
/// So many characters of a function's name are shown.
const NAME: usize = 44;

// Writing to a string cannot fail, here and below.
pub fn render(programs: &[Compared], versions: &[String; 2], options: &Options) -> String {
    let mut text = preface(versions, options);
    totals(&mut text, programs);
    reasons(&mut text, programs);
    for program in programs {
        details(&mut text, program);
    }
    text
}

fn preface([theirs, ours]: &[String; 2], options: &Options) -> String {
    format!(
        "# Heapsight and heaptrack: do they count the same?

Written by a command of this repository:

    cargo build --release
    cargo run --release --manifest-path benches/compare/Cargo.toml -- agree --out docs/agreement.md

Each program runs once under each recorder, {theirs}, and Heapsight {ours} with
`track=full,ledger=FILE`; the program, its input and the length of its environment are the same.
Programs run at {} % of the length they have in `compare tracking`. heaptrack's events are counted
from its interpreted data (its own `heaptrack_print` must find as many), Heapsight's figures are
those of `heapsight report --json`.

Allocations, bytes asked for and blocks never freed are compared for **every call stack**: its {}
innermost calls (heaptrack records some sixty), each as a module and the address in it. So the two
readers of symbols play no part. Alike in both, and so no difference: a `realloc` is a free and an
allocation; `calloc`, `aligned_alloc` and `posix_memalign` are allocations like any other; inlined
calls have no address of their own. Where a stack begins in libstdc++'s `operator new`, which
heaptrack sees as the caller of `malloc`, that call is left out: Heapsight replaces the operator, as
it does `malloc`, and records who called it. Neither counts what the loader allocated before the
recorder was there.
",
        options.percent, CALLS
    )
}

fn totals(text: &mut String, programs: &[Compared]) {
    text.push_str(
        "\n## Totals\n\nheaptrack's figure, and Heapsight's where it differs.\n\n\
         | program | allocations | bytes | peak bytes | bytes never freed | call stacks | alike | \
         agreement |\n|---|---:|---:|---:|---:|---:|---:|---|\n",
    );
    for program in programs {
        let (theirs, ours) = (&program.theirs, &program.ours);
        let both = |of: fn(&Counts) -> u64| pair(of(&theirs.totals), of(&ours.totals));
        let outcome = &program.outcome;
        let mut reasons: BTreeSet<Reason> = outcome.by_reason().into_keys().collect();
        reasons.extend(outcome.peak);
        let agreement = match (outcome.broken.is_empty(), reasons.is_empty()) {
            (false, _) => "**no**".to_string(),
            (true, true) => "exact".to_string(),
            (true, false) => {
                let names: Vec<_> = reasons.iter().map(|reason| reason.text().0).collect();
                format!("but for: {}", names.join(", "))
            }
        };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} | {} | {} | {agreement} |",
            program.name,
            both(|counts| counts.blocks),
            both(|counts| counts.bytes),
            pair(theirs.peak, ours.peak),
            both(|counts| counts.left_bytes),
            pair(theirs.stacks.len() as u64, ours.stacks.len() as u64),
            outcome.alike,
        );
    }
}

fn pair(theirs: u64, ours: u64) -> String {
    if theirs == ours { theirs.to_string() } else { format!("{theirs} / {ours}") }
}

/// The reasons that occurred, at length.
fn reasons(text: &mut String, programs: &[Compared]) {
    let mut seen: BTreeSet<Reason> = BTreeSet::new();
    for program in programs {
        seen.extend(program.outcome.by_reason().into_keys());
        seen.extend(program.outcome.peak);
    }
    text.push_str("\n## What differs, and why\n\n");
    for reason in &seen {
        let (name, why) = reason.text();
        let _ = writeln!(text, "- **{}**: {why}.", name.trim_matches('*'));
    }
    text.push_str(match programs.iter().all(|program| program.outcome.broken.is_empty()) {
        true => "\nNothing else differs.\n",
        false => "\nWithout an explanation:\n\n",
    });
    for program in programs {
        for line in &program.outcome.broken {
            let _ = writeln!(text, "- {}: {line}.", program.name);
        }
    }
    let sums: Vec<_> = programs.iter().filter(|it| !it.outcome.differences.is_empty()).collect();
    if sums.is_empty() {
        return;
    }
    text.push_str(
        "\nheaptrack's figures less Heapsight's, by reason:\n\n\
         | program | reason | call stacks | blocks | bytes | bytes never freed |\n\
         |---|---|---:|---:|---:|---:|\n",
    );
    for program in sums {
        for (reason, (stacks, [blocks, bytes, left])) in program.outcome.by_reason() {
            let (name, reason) = (&program.name, reason.text().0);
            let _ =
                writeln!(text, "| {name} | {reason} | {stacks} | {blocks} | {bytes} | {left} |");
        }
    }
}

/// One program: its top call stacks, and what differs.
fn details(text: &mut String, program: &Compared) {
    let _ = write!(text, "\n## {}: {}\n\n", program.name, program.what);
    if program.theirs.new_calls > 0 {
        let _ = writeln!(
            text,
            "{} of heaptrack's call stacks begin in libstdc++'s `operator new`.\n",
            program.theirs.new_calls
        );
    }
    let by_bytes = top(program, |counts| counts.bytes);
    let by_blocks = top(program, |counts| counts.blocks);
    let _ = writeln!(
        text,
        "The ten call stacks with most blocks: {}. With most bytes: {}.\n",
        verdict(program, &by_blocks),
        verdict(program, &by_bytes)
    );
    text.push_str(
        "| call stack, the innermost calls | blocks | bytes | agree |\n|---|---:|---:|---|\n",
    );
    for stack in &by_bytes {
        let sides = [&program.theirs, &program.ours]
            .map(|recording| recording.stacks.get(*stack).copied().unwrap_or_default());
        let (blocks, bytes) =
            (pair(sides[0].blocks, sides[1].blocks), pair(sides[0].bytes, sides[1].bytes));
        let agree = reason_of(program, stack).map_or("yes", |reason| reason.text().0);
        let _ = writeln!(text, "| {} | {blocks} | {bytes} | {agree} |", calls(program, stack));
    }
    let unknown = program.outcome.differences.iter().filter(|it| it.reason == Reason::Unknown);
    for one in unknown.take(TOP) {
        let _ = write!(text, "\nUnexplained: {}: {:?}\n", calls(program, &one.stack), one.sides);
    }
}

/// The first ten of heaptrack's, by some figure.
fn top(program: &Compared, of: fn(&Counts) -> u64) -> Vec<&Stack> {
    let mut ranked: Vec<_> = program.theirs.stacks.iter().collect();
    ranked.sort_by_key(|(stack, counts)| (Reverse(of(counts)), *stack));
    ranked.into_iter().take(TOP).map(|(stack, _)| stack).collect()
}

fn verdict(program: &Compared, stacks: &[&Stack]) -> String {
    let other = stacks.iter().filter(|stack| reason_of(program, stack).is_some()).count();
    match other {
        0 => "all counted alike".to_string(),
        _ => format!("{} counted alike, {other} not", stacks.len() - other),
    }
}

fn reason_of(program: &Compared, stack: &Stack) -> Option<Reason> {
    let same = program.outcome.differences.iter().find(|one| one.stack == *stack);
    same.map(|one| one.reason)
}

/// The innermost calls by their names: Heapsight's, or else heaptrack's, or else the address.
fn calls(program: &Compared, stack: &Stack) -> String {
    let known = |call| {
        let of = |names: Option<&Vec<String>>| names.filter(|names| !names.is_empty()).cloned();
        of(program.ours.names.get(call)).or_else(|| of(program.theirs.names.get(call)))
    };
    let place = |call: &(u32, u64)| format!("{}+{:#x}", program.modules.name(call.0), call.1);
    let names = stack.iter().flat_map(|call| known(call).unwrap_or_else(|| vec![place(call)]));
    let shown: Vec<String> = names.take(4).map(|name| format!("`{}`", short(&name))).collect();
    shown.join(" < ")
}

/// A name without its arguments, and not too long.
fn short(name: &str) -> String {
    let bare = name.split('(').next().filter(|bare| !bare.is_empty()).unwrap_or(name);
    match bare.char_indices().nth(NAME) {
        Some((end, _)) => format!("{}…", &bare[..end]),
        None => bare.to_string(),
    }
    .replace('|', "¦")
}
