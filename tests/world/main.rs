//! Leak checks in the midst of threads: the world is stopped, over and over, in a program whose
//! blocks are all held by somebody. None may be found lost, no check may hang, and the program must
//! not notice, whoever watches it and whatever it is forbidden.

#[path = "../support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::time::Duration;
use std::{env, fs};

use support::{Need, Outcome, Run, TempDir, find_command, install, missing, source_root};

const TOOLS: Need = Need { commands: "gdb strace", packages: "gdb strace" };

/// The compiled program.
struct Storm {
    directory: TempDir,
}

impl Storm {
    fn compile() -> Self {
        Self::of("storm.c")
    }

    fn of(file: &str) -> Self {
        let storm = Self { directory: TempDir::new("world") };
        Run::new(env::var("CC").unwrap_or_else(|_| "cc".into()))
            .args(["-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread", "-o"])
            .arg(storm.path())
            .arg(source_root().join("tests/world").join(file))
            .arg("-ldl")
            .outcome()
            .expect_code(0);
        storm
    }

    fn path(&self) -> PathBuf {
        self.directory.join("storm")
    }

    fn run(&self, arguments: &str) -> Outcome {
        finish(Run::new(self.path()).args(arguments.split(' ')).preloaded("track=full"))
    }
}

fn finish(run: Run) -> Outcome {
    run.deadline(Duration::from_secs(300)).outcome().expect_code(0)
}

/// Nothing was found lost, in any of the checks.
fn expect_nothing_lost(outcome: &Outcome) {
    assert!(outcome.out().contains("0 lost\n"), "{}", outcome.story());
    assert!(outcome.err().contains("no leaks"), "{}", outcome.story());
}

/// How many threads each check could not stop, where it could not stop all.
fn unstopped(outcome: &Outcome) -> Vec<usize> {
    let number = |line: &str| line.trim().strip_prefix("note: ")?.split(' ').next()?.parse().ok();
    outcome
        .err()
        .lines()
        .filter(|line| line.contains("could not be stopped"))
        .filter_map(number)
        .collect()
}

#[test]
fn two_hundred_threads_are_stopped_in_a_storm_of_others() {
    expect_nothing_lost(&Storm::compile().run("8 2 200 0"));
}

#[test]
fn threads_that_block_all_signals_are_named_and_their_blocks_found() {
    let outcome = Storm::compile().run("6 1 10 7");
    expect_nothing_lost(&outcome);
    let counts = unstopped(&outcome);
    assert_eq!(counts.len(), 6, "{}", outcome.story());
    // Threads of the storm block signals while they begin and end.
    assert!(counts.iter().all(|count| (7..=7 + 8).contains(count)), "{counts:?}");
}

#[test]
fn checks_forks_and_threads_do_not_wait_for_each_other() {
    expect_nothing_lost(&Storm::compile().run("10 2 20 2 fork"));
}

#[test]
fn a_child_does_not_wait_for_a_loader_that_nobody_will_unlock() {
    expect_nothing_lost(&finish(
        Run::new(Storm::of("loader.c").path()).preloaded("track=full,leaks=on"),
    ));
}

#[test]
fn lists_that_grow_while_memory_is_listed_are_no_memory_of_the_program() {
    // Around the first number at which a list must be moved.
    let mapped = Storm::of("mapped.c");
    let run = Run::new(mapped.path()).args(["600", "720"]);
    let outcome = finish(run.preloaded("track=full,leaks=on"));
    assert_eq!(outcome.err().matches("no leaks: ").count(), 122, "{}", outcome.story());
}

#[test]
fn a_process_that_may_not_be_traced_checks_itself() {
    expect_nothing_lost(&Storm::compile().run("6 1 10 2 sealed"));
}

#[test]
fn another_thread_than_the_first_may_end_the_process() {
    let outcome = Storm::compile().run("3 2 10 2 exit");
    assert!(outcome.err().contains("no leaks"), "{}", outcome.story());
}

#[test]
fn debuggers_and_tracers_are_no_hindrance() {
    install("world", [TOOLS].into_iter());
    if !missing(&TOOLS).is_empty() {
        eprintln!("SKIPPED: no gdb or no strace");
        return;
    }
    let storm = Storm::compile();
    let tool = |name: &str| find_command(name).expect("not missing");
    // Both pass the variables on to the program alone: the library is not to be in the tool.
    let library = format!("LD_PRELOAD={}", support::artifact("libheapsight.so").display());
    let strace = Run::new(tool("strace"))
        .args(["-f", "-o", "/dev/null", "-E", &library, "-E", "HEAPSIGHT=track=full"])
        .arg(storm.path())
        .args(["2", "1", "10", "2"]);
    expect_nothing_lost(&finish(strace));
    let gdb = Run::new(tool("gdb"))
        .args(["-batch", "-nx", "-ex", "set startup-with-shell off"])
        .args(["-ex", &format!("set environment {library}")])
        .args(["-ex", "set environment HEAPSIGHT=track=full", "-ex", "run", "--args"])
        .arg(storm.path())
        .args(["2", "1", "10", "2"]);
    let outcome = finish(gdb);
    expect_nothing_lost(&outcome);
    assert!(outcome.out().contains("exited normally"), "{}", outcome.story());
}

#[test]
fn a_report_that_a_full_disk_does_not_take_is_not_lost() {
    let held = Storm::of("held.c");
    let outcome = finish(Run::new(held.path()).preloaded("track=full,leaks=on,report=/dev/full"));
    assert!(outcome.err().contains("No space left on device"), "{}", outcome.story());
    assert!(outcome.err().contains("held by held_by_the_first"), "{}", outcome.story());
}

#[test]
fn the_function_is_named_whose_variable_holds_a_block() {
    let held = Storm::of("held.c");
    let report = held.directory.join("report.json");
    let options = format!("track=full,leaks=on,report={}", report.display());
    finish(Run::new(held.path()).preloaded(&options));
    let report: serde_json::Value =
        serde_json::from_slice(&fs::read(report).expect("a report")).expect("JSON");
    for (bytes, function) in [(54321, "held_by_the_first"), (12345, "held_by_another")] {
        let leaks = report["leaks"].as_array().expect("a list");
        let block = leaks.iter().find(|leak| leak["bytes"] == bytes).expect("the block");
        assert_eq!(block["class"], "reachable", "{block}");
        assert_eq!(block["held_by"]["root"]["kind"], "stack", "{block}");
        assert_eq!(block["held_by"]["root"]["function"], function, "{block}");
    }
}
