//! Real programs do the same under Heapsight as without it.
//!
//! Every program of the table runs a small, deterministic workload five times: alone, and under
//! `libheapsight.so` with `track=off`, `track=full`, `safety=full` and `track=full,leaks=on`.
//! Standard output and exit code must be the same each time, and nothing may be reported but
//! leaks. A program that is missing is installed when `HEAPSIGHT_INSTALL=1` and root say so, and is
//! skipped otherwise.
//!
//! Each program is a test of its own; the groups hold the table. The test that finishes last prints
//! what became of all, also to `target/tmp/programs/summary.txt`.

#[path = "../support/mod.rs"]
mod support;

mod results;
mod sandbox;
mod table;
mod trial;

mod compilers;
mod compression;
mod databases;
mod interpreters;
mod tools;

use support::{Run, install, may_install, missing};
use table::Program;

/// The fewest programs that a machine with all of them installed may run.
const PROGRAMS_MIN: usize = 25;

/// All programs, in the order of the summary.
fn all() -> impl Iterator<Item = &'static Program> {
    [
        compilers::PROGRAMS,
        interpreters::PROGRAMS,
        databases::PROGRAMS,
        compression::PROGRAMS,
        tools::PROGRAMS,
    ]
    .into_iter()
    .flatten()
}

#[test]
fn enough_programs_are_here() {
    install("programs", all().map(|program| program.need));
    let absent: Vec<_> =
        all().filter(|program| !missing(&program.need).is_empty()).map(|it| it.name).collect();
    let present = all().count() - absent.len();
    println!("{present} programs are here; missing: {}", absent.join(" "));
    assert!(
        present >= PROGRAMS_MIN || !may_install(),
        "only {present} programs are here, {PROGRAMS_MIN} are needed; missing: {absent:?}"
    );
}

/// What is preloaded into every program brings nothing else into it.
#[test]
fn no_library_comes_along_but_libc() {
    let outcome = Run::new("cat").args(["/proc/self/maps"]).preloaded("").outcome().expect_code(0);
    let known =
        ["/libheapsight.so", "/libc.so.6", "/ld-linux-x86-64.so.2", "/ld-linux-aarch64.so.1"];
    let library = |line: &&str| line.contains(".so");
    let out = outcome.out();
    let others: Vec<_> = out
        .lines()
        .filter(library)
        .filter(|line| !known.iter().any(|name| line.ends_with(name)))
        .collect();
    assert!(out.contains(known[0]), "{}", outcome.story());
    assert!(others.is_empty(), "{others:#?}");
}
