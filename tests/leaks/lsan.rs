//! Programs that are annotated for LeakSanitizer mean the same here.

use crate::build::Planted;
use crate::support::{Outcome, Report};

const OPTIONS: &str = "track=full,leaks=on";

fn annotated() -> Planted {
    Planted::c("annotated.c", "-O1")
}

/// Runs the steps; the report, in Heapsight's own form.
fn report_of(steps: &[&str]) -> Report {
    let planted = annotated();
    let path = planted.join("report.json");
    let options = format!("{OPTIONS},report={}", path.display());
    planted.run().args(steps).preloaded(&options).outcome().expect_code(0);
    Report::read(&path)
}

/// Runs the steps with `LSAN_OPTIONS`.
fn run_with(flags: &str, steps: &[&str]) -> Outcome {
    annotated().run().args(steps).env("LSAN_OPTIONS", flags).preloaded(OPTIONS).outcome()
}

fn leaked(report: &Report) -> Vec<(&str, u64, u64)> {
    report.leaked().map(|leak| (leak.class.as_str(), leak.blocks, leak.bytes)).collect()
}

#[test]
fn what_the_program_disowns_is_no_leak() {
    assert_eq!(leaked(&report_of(&["known", "disabled", "object"])), []);
    assert_eq!(leaked(&report_of(&["known", "leak", "object"])), [("lost", 1, 1000)]);
}

#[test]
fn what_is_allocated_after_enable_counts_again() {
    assert_eq!(leaked(&report_of(&["disabled", "leak"])), [("lost", 1, 1000)]);
}

#[test]
fn a_registered_region_holds_blocks() {
    assert_eq!(leaked(&report_of(&["region"])), [("lost", 1, 4096)]);
    assert_eq!(leaked(&report_of(&["no-region"])), [("lost", 1, 4096), ("indirect", 1, 70)]);
}

#[test]
fn a_program_can_turn_the_search_off() {
    let outcome = annotated().run().args(["leak", "off"]).preloaded(OPTIONS).outcome();
    assert_eq!(outcome.expect_code(0).err(), "");
}

#[test]
fn a_check_on_demand_ends_a_program_that_leaks() {
    let outcome = run_with("", &["check", "leak", "check"]);
    // The first check was the only one.
    assert!(outcome.out().ends_with("end\n"), "{}", outcome.out());
    outcome.expect_code(0);

    let outcome = run_with("exitcode=7", &["leak", "check"]).expect_code(7);
    assert!(!outcome.out().contains("end"), "{}", outcome.out());
    assert!(outcome.err().contains("in leak "), "{}", outcome.err());
}

#[test]
fn recoverable_checks_answer_as_often_as_they_are_asked() {
    let outcome = run_with("", &["recoverable", "leak", "recoverable", "leak", "recoverable"]);
    let outcome = outcome.expect_code(23);
    assert_eq!(outcome.out(), "recoverable: 0\nrecoverable: 1\nrecoverable: 1\nend\n");
    let text = outcome.err();
    let sums: Vec<_> = text.lines().filter_map(|line| line.strip_prefix("SUMMARY: ")).collect();
    let of =
        |bytes, blocks| format!("LeakSanitizer: {bytes} byte(s) leaked in {blocks} allocation(s).");
    assert_eq!(sums, [of(1000, 1), of(2000, 2), of(2000, 2)]);
}

#[test]
fn with_lsan_options_reports_look_like_leak_sanitizers() {
    let outcome = run_with("report_objects=1", &["known", "leak", "no-region"]).expect_code(23);
    for part in [
        "ERROR: LeakSanitizer: detected memory leaks\n",
        "Direct leak of 4096 byte(s) in 1 object(s) allocated from:\n",
        "Direct leak of 1000 byte(s) in 1 object(s) allocated from:\n",
        "Indirect leak of 70 byte(s) in 1 object(s) allocated from:\n",
        "Objects leaked above:\n0x",
        "Suppressions used:\n  count      bytes template\n      2        105 known_leak\n",
        "SUMMARY: LeakSanitizer: 5166 byte(s) leaked in 3 allocation(s).\n",
    ] {
        assert!(outcome.err().contains(part), "{part:?} is not in:\n{}", outcome.err());
    }
}

#[test]
fn flags_say_where_and_whether() {
    let planted = annotated();
    let log = planted.join("log");
    let run = |flags: &str| {
        planted.run().arg("leak").env("LSAN_OPTIONS", flags).preloaded(OPTIONS).outcome()
    };
    let outcome = run(&format!("exitcode=0:log_path='{}'", log.display())).expect_code(0);
    assert_eq!(outcome.err(), "");
    let logs: Vec<_> = std::fs::read_dir(log.parent().expect("a folder"))
        .expect("a folder")
        .filter_map(|entry| entry.ok()?.file_name().into_string().ok())
        .filter(|name| name.starts_with("log."))
        .collect();
    assert_eq!(logs.len(), 1, "{logs:?}");

    assert_eq!(run("leak_check_at_exit=0").expect_code(0).err(), "");
    assert_eq!(run("detect_leaks=0").expect_code(0).err(), "");
    let outcome = run("leak_check_at_exit=0:use_stack=1").expect_code(0);
    let expected = "heapsight: LSAN_OPTIONS: no flag is called 'use_stack' (ignored)\n";
    assert_eq!(outcome.err(), expected);
}

#[test]
fn what_is_larger_than_the_limit_fails() {
    let run = |options: &str, flags: Option<&str>| {
        let planted = annotated();
        let run = planted.run().arg("large");
        let run = if let Some(flags) = flags { run.env("LSAN_OPTIONS", flags) } else { run };
        run.preloaded(options).outcome().expect_code(0)
    };
    for options in ["track=off", "track=full", "max_allocation=2"] {
        assert_eq!(run(options, None).out(), "failed: 0, kept\nend\n", "{options}");
    }
    for options in ["max_allocation=1", "track=full,max_allocation=1"] {
        let outcome = run(options, None);
        assert_eq!(outcome.out(), "failed: 6, kept\nend\n", "{options}");
        let line = "heapsight: an allocation of 2097152 bytes fails, as max_allocation=1 asks\n";
        assert_eq!(outcome.err(), line.repeat(6));
    }
    let flags = "allocator_may_return_null=1:max_allocation_size_mb=1";
    let outcome = run(OPTIONS, Some(flags));
    assert_eq!(outcome.out(), "failed: 6, kept\nend\n");
    let words = "WARNING: LeakSanitizer failed to allocate 0x200000 bytes\n";
    assert_eq!(outcome.err().matches(words).count(), 6, "{}", outcome.err());
}
