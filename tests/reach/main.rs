//! Leaks by reachability, held against programs whose truth is known: each class, site, number of
//! blocks and bytes, and who holds them, in C, C++ and Rust at every level of optimisation; and no
//! leak at all in their twins.
//!
//! The programs are in `programs/`, and `programs/README.md` says how their truth is written.
//! `HEAPSIGHT_REACH=NAME` runs only the programs whose names contain NAME.

mod build;
mod found;
#[path = "../support/mod.rs"]
mod support;
mod truth;

use std::fmt::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use build::{Built, Language};
use found::Report;
use truth::Truth;

/// The programs that the corpus has to have, at least.
const PROGRAMS_MIN: usize = 60;

/// What is wrong with one program in one mode; empty if nothing is.
fn complaints(program: &Built, mode: &str) -> String {
    let report = match Report::of(program, mode) {
        Ok(report) => report,
        Err(story) => return story,
    };
    let truth = Truth::read(program.source());
    if mode == "clean" { truth.of_the_twin(&report) } else { truth.against(&report) }
}

/// Builds and runs every program of a language at one level, on all processors.
fn hold_to_truth(language: Language, level: &str) {
    let sources = build::sources(language);
    let next = AtomicUsize::new(0);
    let wrong = Mutex::new(Vec::new());
    let work = || {
        while let Some(source) = sources.get(next.fetch_add(1, Ordering::Relaxed)) {
            let program = Built::new(language, source, level);
            for mode in ["leak", "clean"] {
                let complaints = complaints(&program, mode);
                if !complaints.is_empty() {
                    let name = source.file_name().expect("a file").display();
                    let text = format!("== {name} {level} {mode}\n{complaints}");
                    wrong.lock().expect("no worker panics with it").push(text);
                }
            }
        }
    };
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(work);
        }
    });
    let mut wrong = wrong.into_inner().expect("no worker panicked with it");
    wrong.sort();
    let mut text = String::new();
    writeln!(text, "{} of {} runs are wrong", wrong.len(), 2 * sources.len()).expect("text");
    assert!(wrong.is_empty(), "{text}{}", wrong.concat());
}

#[test]
fn the_corpus_is_large_enough() {
    let all: usize = Language::ALL.map(|language| build::sources(language).len()).iter().sum();
    assert!(
        all >= PROGRAMS_MIN || std::env::var_os("HEAPSIGHT_REACH").is_some(),
        "{all} programs are left"
    );
}

#[test]
fn c_at_o0() {
    hold_to_truth(Language::C, "-O0");
}

#[test]
fn c_at_o1() {
    hold_to_truth(Language::C, "-O1");
}

#[test]
fn c_at_o2() {
    hold_to_truth(Language::C, "-O2");
}

#[test]
fn c_at_o3() {
    hold_to_truth(Language::C, "-O3");
}

#[test]
fn cpp_at_o0() {
    hold_to_truth(Language::Cpp, "-O0");
}

#[test]
fn cpp_at_o1() {
    hold_to_truth(Language::Cpp, "-O1");
}

#[test]
fn cpp_at_o2() {
    hold_to_truth(Language::Cpp, "-O2");
}

#[test]
fn cpp_at_o3() {
    hold_to_truth(Language::Cpp, "-O3");
}

#[test]
fn rust_at_0() {
    hold_to_truth(Language::Rust, "-Copt-level=0");
}

#[test]
fn rust_at_3() {
    hold_to_truth(Language::Rust, "-Copt-level=3");
}

/// With `interior=possible` what only pointers into the middle lead to is possibly lost, and
/// nothing else is different.
#[test]
fn pointers_into_the_middle_may_prove_nothing() {
    for name in ["interior.c", "intrusive.c", "one_past.c", "globals.c"] {
        let source = build::sources(Language::C).into_iter().find(|path| path.ends_with(name));
        let Some(source) = source else { continue };
        let classes = |options: &str| {
            let program = Built::new(Language::C, &source, "-O1");
            let report = Report::with(&program, "leak", options).expect("a report");
            let groups = report.leaks.iter().map(|leak| {
                let class = if leak.interior && leak.class == "reachable" {
                    "possible".to_owned()
                } else {
                    leak.class.clone()
                };
                (class, leak.interior, leak.blocks, leak.bytes)
            });
            let mut groups: Vec<_> = groups.collect();
            groups.sort();
            (groups, report.leaks.iter().filter(|leak| leak.class == "possible").count())
        };
        let (expected, strict) = (classes(""), classes("interior=possible"));
        assert_eq!(strict.0, expected.0, "{name}");
        assert_eq!(expected.1, 0, "{name}");
        assert_eq!(strict.1 > 0, strict.0.iter().any(|group| group.0 == "possible"), "{name}");
    }
}
