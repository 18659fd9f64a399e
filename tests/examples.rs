//! The examples of `examples/` work as they say: their tests pass, and those that fail on purpose
//! fail with the words that are promised.

mod support;

use std::path::PathBuf;
use std::time::Duration;
use support::{Outcome, Run, TempDir, artifact, find_command, lock, source_root};

/// Building takes its time.
const DEADLINE: Duration = Duration::from_secs(900);

fn example(name: &str) -> PathBuf {
    source_root().join("examples").join(name)
}

/// `cargo ARGUMENTS` for the crate that is an example, in the target directory of this build.
fn cargo(arguments: &[&str]) -> Outcome {
    // One after the other: they would wait for each other anyway, within their deadlines.
    let _lock = lock("examples-cargo");
    let target = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).parent().expect("a directory");
    Run::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(arguments)
        .env("CARGO_TARGET_DIR", target)
        .env("RUST_BACKTRACE", "0")
        .env("CARGO_TERM_COLOR", "never")
        .current_dir(&example("cargo-test"))
        .deadline(DEADLINE)
        .outcome()
}

#[test]
fn the_crates_tests_pass() {
    let outcome = cargo(&["test"]).expect_code(0);
    let passed = ["catalogue::tests::a_tree_with_strong_parents_leaks - should panic ... ok"];
    for line in passed {
        assert!(outcome.out().contains(line), "no `{line}` from {}", outcome.story());
    }
}

#[test]
fn the_crates_tests_pass_in_a_process_each() {
    if find_command("cargo-nextest").is_none() {
        eprintln!("skipped: there is no cargo-nextest");
        return;
    }
    cargo(&["nextest", "run"]).expect_code(0);
}

#[test]
fn a_test_that_leaks_is_red_and_says_where() {
    let outcome = cargo(&["test", "--", "--ignored"]).expect_code(101);
    let out = outcome.out();
    for part in [
        "test result: FAILED. 0 passed; 2 failed",
        // The leak: how much, of which function, at which line.
        "assertion `no leaks` failed: ",
        " allocated here:",
        "heapsight_example::catalogue::Cyclic::below  ",
        "examples/cargo-test/src/catalogue.rs:",
        // The bound that does not hold: what there was, and where.
        "assertion `allocations <= 2` failed: a basket of two lines",
        "allocations: 3",
        "1 allocation of 64 bytes, here:",
        "heapsight_example::basket::parse  ",
        "examples/cargo-test/src/basket.rs:",
    ] {
        assert!(out.contains(part), "no `{part}` from {}", outcome.story());
    }
}

#[test]
fn make_check_fails_for_the_test_that_leaks() {
    let build = TempDir::new("make-check");
    let make = |arguments: &[&str]| {
        Run::new("make")
            .arg("check")
            .arg(format!("BUILD={}", build.path().display()))
            .arg(format!("COMMAND={}", artifact("heapsight").display()))
            .args(arguments)
            .current_dir(&example("ctest"))
            .outcome()
    };
    make(&[]).expect_code(0);
    let outcome = make(&["TESTS=test_queue test_forgetful"]).expect_code(2);
    for part in ["13 bytes in 2 blocks", "queue_push", "queue.c:", "Error 23"] {
        assert!(outcome.err().contains(part), "no `{part}` from {}", outcome.story());
    }
}

#[test]
fn ctest_knows_which_tests_leak() {
    if find_command("cmake").is_none() {
        eprintln!("skipped: there is no cmake");
        return;
    }
    let build = TempDir::new("ctest");
    let heapsight = format!("-DHEAPSIGHT_COMMAND={}", artifact("heapsight").display());
    let source = example("ctest");
    let cmake = |arguments: &[&str]| Run::new("cmake").args(arguments).current_dir(&source);
    let path = build.path().display().to_string();
    cmake(&["-S", ".", "-B", &path, &heapsight]).outcome().expect_code(0);
    cmake(&["--build", &path]).outcome().expect_code(0);
    let ctest = |arguments: &[&str]| {
        Run::new("ctest").args(["--test-dir", &path, "-V"]).args(arguments).outcome()
    };
    let outcome = ctest(&[]).expect_code(0);
    for part in ["100% tests passed, 0 tests failed out of 4", "13 bytes in 2 blocks"] {
        assert!(outcome.out().contains(part), "no `{part}` from {}", outcome.story());
    }
}
