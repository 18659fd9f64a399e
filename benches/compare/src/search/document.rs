//! The page `docs/search.md`.

use std::fmt::Write as _;

use super::{FASTER, Findings, PAUSE};

/// Renders everything. Writing to a string cannot fail.
pub fn render(findings: &Findings) -> String {
    let options = &findings.options;
    let mut text = format!(
        "# What a search for leaks costs

Written by a command of this repository:

    cargo build --release
    cargo run --release --manifest-path benches/compare/Cargo.toml -- search \\
        --out docs/search.md

Machine: {}; load before: {:.2}. Heapsight {}, `track=full`; LeakSanitizer is gcc's library,
preloaded into the same program (`workloads/linked.c`). Medians of {} rounds, in turns.

## A search that the program asks for

{} blocks of {} bytes, which all hang on one global variable. What a list says has to be followed
block by block, each somewhere else in memory; trees and graphs leave more to do side by side.

| | Heapsight | LeakSanitizer | times as fast |
|---|---:|---:|---:|
",
        findings.machine.description,
        findings.machine.load,
        findings.version,
        options.rounds,
        options.blocks,
        super::BLOCK,
    );
    for pair in &findings.searches {
        let (shape, ratio) = (pair.blocks.shape, pair.ratio());
        let _ =
            writeln!(text, "| {shape} | {:.2} s | {:.2} s | {ratio:.1} |", pair.ours, pair.theirs);
    }
    let _ = write!(
        text,
        "
Wanted: {FASTER} times as fast.

The program itself needs {:.2} s to walk along the list once: each block must have arrived from
memory before the next one is known. A search need not wait for that: it reads all blocks in the
order of their addresses first, and then walks along the list from many places at once.

Heapsight searches with as many threads as there are processors, LeakSanitizer with one: on a
machine that is busy with something else, the lead is smaller.

## How long the program stands still

Asked from outside (`heapsight leaks PID`), the program stops its threads, copies itself (`fork`),
and goes on; the copy searches. LeakSanitizer stops it for the whole search. {} MiB of blocks live,
as a tree; what grows with the memory is the kernel's copy of the page tables.

| blocks of | Heapsight | LeakSanitizer | times as short |
|---|---:|---:|---:|
",
        findings.walk, options.mebibytes
    );
    for pair in &findings.pauses {
        let (bytes, ratio) = (pair.blocks.bytes, pair.ratio());
        let (ours, theirs) = (pair.ours, pair.theirs);
        let _ = writeln!(text, "| {bytes} bytes | {ours:.1} ms | {theirs:.0} ms | {ratio:.0} |");
    }
    let _ = writeln!(text, "\nWanted: {PAUSE} ms at most.");
    let broken = findings.broken();
    text.push_str(match broken.is_empty() {
        true => "\nEvery limit was kept.\n",
        false => "\nBroken:\n\n",
    });
    for line in broken {
        let _ = writeln!(text, "- {line}.");
    }
    text
}
