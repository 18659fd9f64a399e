//! Planted leaks are found: by function, file, line, number of blocks and number of bytes, in C, in
//! C++, in Rust and in a C extension of Python; and nothing is found in their clean twins.
//!
//! The programs are in `planted/`. What each must lose is written beside the line that loses it,
//! and [`markers`] reads it there.

mod build;
mod forms;
mod known;
mod lsan;
mod markers;
#[path = "../support/mod.rs"]
mod support;

use build::Planted;
use support::{Leak, Report, Run};

/// Everything that a report has to say, on.
const OPTIONS: &str = "track=full,leaks=on";

/// Runs the program under the preloaded library and reads its report.
fn report_of(planted: &Planted, mode: &str) -> Report {
    let path = planted.join("report.json");
    let options = format!("{OPTIONS},report={}", path.display());
    let outcome = planted.run().arg(mode).preloaded(&options).outcome().expect_code(0);
    assert!(outcome.err().is_empty(), "a report in a file is not on stderr: {}", outcome.err());
    Report::read(&path)
}

fn assert_leaks_are_found(planted: &Planted) {
    let report = report_of(planted, "leak");
    let leaks: Vec<_> = report.leaked().collect();
    assert!(!report.verdict.is_empty());
    markers::compare(&markers::plants(&planted.source()), &leaks, planted.file());
}

fn assert_twin_is_clean(planted: &Planted) {
    let report = report_of(planted, "clean");
    let own = |leak: &&Leak| leak.frames_in(planted.file()).next().is_some();
    let leaks: Vec<_> = report.leaked().filter(own).map(markers::shown).collect();
    assert!(leaks.is_empty(), "the clean twin of {} leaks:\n{}", planted.file(), leaks.concat());
}

#[test]
fn leaks_of_c_are_found() {
    assert_leaks_are_found(&Planted::c("leak.c", "-O0"));
}

#[test]
fn leaks_of_optimised_c_are_found() {
    assert_leaks_are_found(&Planted::c("leak.c", "-O2"));
}

#[test]
fn leaks_of_cpp_are_found() {
    assert_leaks_are_found(&Planted::cpp("leak.cpp", "-O0"));
}

#[test]
fn leaks_of_optimised_cpp_are_found() {
    assert_leaks_are_found(&Planted::cpp("leak.cpp", "-O2"));
}

#[test]
fn leaks_of_rust_are_found() {
    assert_leaks_are_found(&Planted::rust("leak.rs"));
}

#[test]
fn leaks_of_a_python_extension_are_found() {
    if let Some(planted) = Planted::python("leaky.c") {
        assert_leaks_are_found(&planted);
    }
}

#[test]
fn clean_c_has_no_leaks() {
    assert_twin_is_clean(&Planted::c("leak.c", "-O2"));
}

#[test]
fn clean_cpp_has_no_leaks() {
    assert_twin_is_clean(&Planted::cpp("leak.cpp", "-O2"));
}

#[test]
fn clean_rust_has_no_leaks() {
    assert_twin_is_clean(&Planted::rust("leak.rs"));
}

#[test]
fn clean_python_extension_has_no_leaks() {
    if let Some(planted) = Planted::python("leaky.c") {
        assert_twin_is_clean(&planted);
    }
}

/// A C program owns all its allocations but those of libc, which are of another class.
#[test]
fn clean_c_has_no_leaks_of_anyone() {
    let report = report_of(&Planted::c("leak.c", "-O2"), "clean");
    let leaks: Vec<_> = report.leaked().map(markers::shown).collect();
    assert!(leaks.is_empty(), "{}", leaks.concat());
}

#[test]
fn the_command_finds_the_same_leaks() {
    let planted = [
        Some(Planted::c("leak.c", "-O2")),
        Some(Planted::cpp("leak.cpp", "-O2")),
        Some(Planted::rust("leak.rs")),
        Planted::python("leaky.c"),
    ];
    for planted in planted.into_iter().flatten() {
        let path = planted.join("report.json");
        let options = ["--leaks=on".to_owned(), format!("--report={}", path.display())];
        planted.run_by_command(&options).arg("leak").outcome().expect_code(0);
        let report = Report::read(&path);
        let leaks: Vec<_> = report.leaked().collect();
        markers::compare(&markers::plants(&planted.source()), &leaks, planted.file());
    }
}

#[test]
fn a_leak_changes_the_exit_code_when_asked_to() {
    let planted = Planted::c("leak.c", "-O2");
    let exits = |mode: &str, own: &str, options: &str, expected: i32| {
        let options = format!("{options},report={}", planted.join("exit.txt").display());
        planted.run().args([mode, own]).preloaded(&options).outcome().expect_code(expected);
    };
    exits("leak", "0", "leaks=on,leaks_exitcode=23", 23);
    exits("leak", "5", "leaks=on,leaks_exitcode=23", 23);
    exits("leak", "5", "leaks=on", 5);
    exits("leak", "5", "leaks=on,leaks_exitcode=0", 5);
    exits("clean", "0", "leaks=on,leaks_exitcode=23", 0);
    exits("clean", "5", "leaks=on,leaks_exitcode=23", 5);
    exits("leak", "5", "track=full,leaks_exitcode=23", 5);
}

#[test]
fn the_command_passes_the_exit_code_on() {
    let planted = Planted::c("leak.c", "-O2");
    let report = format!("--report={}", planted.join("exit.txt").display());
    let leaking = ["--leaks=on".into(), "--leaks-exitcode=23".into(), report.clone()];
    planted.run_by_command(&leaking).args(["leak", "0"]).outcome().expect_code(23);
    planted.run_by_command(&leaking).args(["clean", "7"]).outcome().expect_code(7);
    planted.run_by_command(&[report]).args(["leak", "7"]).outcome().expect_code(7);
}

/// The function and the place of one plant, as a text report has to show them.
fn assert_text_names_a_leak(text: &str, planted: &Planted) {
    let source = std::fs::read_to_string(planted.source()).expect("the source");
    let line = source.lines().position(|line| line.contains("in in_a_loop")).expect("a marker");
    let place = format!("{}:{}", planted.file(), line + 1);
    assert!(text.contains("in_a_loop") && text.contains(&place), "no {place} in\n{text}");
}

#[test]
fn the_text_report_is_on_stderr() {
    let planted = Planted::c("leak.c", "-O2");
    let outcome = planted.run().arg("leak").preloaded(OPTIONS).outcome().expect_code(0);
    assert_eq!(outcome.out(), "leaked as planned\n");
    assert_text_names_a_leak(&outcome.err(), &planted);
}

#[test]
fn the_text_report_goes_to_a_file() {
    let planted = Planted::c("leak.c", "-O2");
    let path = planted.join("report.txt");
    let options = format!("{OPTIONS},report={}", path.display());
    let outcome = planted.run().arg("leak").preloaded(&options).outcome().expect_code(0);
    assert_eq!(outcome.err(), "");
    assert_text_names_a_leak(&std::fs::read_to_string(path).expect("a report"), &planted);
}

#[test]
fn a_report_that_cannot_be_written_is_said_and_not_lost() {
    let planted = Planted::c("leak.c", "-O2");
    let options = format!("{OPTIONS},report=/nonexistent/report.txt");
    let outcome = planted.run().arg("leak").preloaded(&options).outcome().expect_code(0);
    assert_eq!(outcome.out(), "leaked as planned\n");
    assert!(outcome.err().contains("/nonexistent/report.txt"), "{}", outcome.story());
    assert_text_names_a_leak(&outcome.err(), &planted);
}

#[test]
fn leaks_are_checked_on_demand() {
    let planted = Planted::c("on_demand.c", "-O2");
    let outcome = planted.run().preloaded("track=full").outcome().expect_code(0);
    assert_eq!(outcome.out(), "3 0\n", "{}", outcome.story());
    let text = outcome.err();
    let (before, rest) = text.split_once("--- during ---").expect("three checks");
    let (during, after) = rest.split_once("--- after ---").expect("three checks");
    assert!(!before.contains("allocate_some"), "{text}");
    assert!(during.contains("allocate_some") && during.contains("on_demand.c:"), "{text}");
    assert!(!after.contains("allocate_some"), "{text}");
}

#[test]
fn parent_and_child_of_a_fork_report_for_themselves() {
    let planted = Planted::c("forking.c", "-O0");
    let options = format!("{OPTIONS},report={}", planted.join("report-%p.json").display());
    let outcome = planted.run().preloaded(&options).outcome().expect_code(0);
    let pids: Vec<u32> =
        outcome.out().split_whitespace().map(|pid| pid.parse().expect("a pid")).collect();
    let lost = |pid: u32| {
        let report = Report::read(&planted.join(&format!("report-{pid}.json")));
        assert_eq!(report.pid, pid);
        assert!(report.program.contains("planted"), "{}", report.program);
        let mut bytes: Vec<_> = report.leaked().map(|leak| leak.bytes).collect();
        bytes.sort_unstable();
        bytes
    };
    assert_eq!(lost(pids[0]), [1000, 3000]);
    // What the child inherited is the parent's to free.
    assert_eq!(lost(pids[1]), [2000]);
}

#[test]
fn a_program_that_is_not_there_is_an_error_of_one_line() {
    let outcome = Run::new(support::artifact("heapsight"))
        .args(["run", "--", "/nonexistent/program"])
        .outcome();
    assert_ne!(outcome.code(), Some(0), "{}", outcome.story());
    assert!(outcome.err().contains("/nonexistent/program"), "{}", outcome.story());
    assert_eq!(outcome.err().trim_end().lines().count(), 1, "{}", outcome.story());
}
