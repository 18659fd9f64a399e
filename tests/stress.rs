//! The stress program on the shared object as shipped: contents of blocks checked under threads,
//! remote free, realloc, alignment, calloc and fork, and the whole heap checked in between.
//!
//! The program is `tests/stress/*.c`; it calls the malloc family by its plain names. A run takes
//! about a million operations, or as many as `HEAPSIGHT_STRESS_OPS` says:
//!
//! ```text
//! HEAPSIGHT_STRESS_OPS=100000000 cargo test --release --test stress -- --nocapture
//! ```
//!
//! `tests/stress/long.sh MINUTES` runs it in every mode, with ever new seeds, until the time is up.

mod support;

use std::env;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use support::{Need, Run, TempDir, find_command, install, missing, source_root};

/// Operations of a run when nobody asks for more.
const OPERATIONS: u64 = 1_000_000;
/// A run slower than this many operations a second counts as hanging.
const OPERATIONS_A_SECOND_MIN: u64 = 5_000;
/// The address space, in KiB, of the runs that must do with little of it.
const ADDRESS_SPACE_KIB: u32 = 2_000_000;

const COMPILER: Need = Need { commands: "cc", packages: "gcc libc6-dev" };

/// The compiled program, in a directory that goes with it.
struct Stress {
    program: PathBuf,
    _directory: TempDir,
}

impl Stress {
    /// Compiles the program; `None`, said aloud, on a machine without a C compiler.
    fn compile() -> Option<Self> {
        install("stress", [COMPILER].into_iter());
        if !missing(&COMPILER).is_empty() {
            eprintln!("SKIPPED: no C compiler (cc), so the stress program cannot be built");
            return None;
        }
        let directory = TempDir::new("stress");
        let program = directory.join("stress");
        let sources = source_root().join("tests/stress");
        let status = Command::new(find_command("cc").expect("cc was found"))
            .args(["-O2", "-g", "-Wall", "-Wextra", "-Werror", "-pthread"])
            // The compiler must not answer for the allocator.
            .args(
                ["malloc", "calloc", "realloc", "free"].map(|name| format!("-fno-builtin-{name}")),
            )
            .args(
                ["block.c", "family.c", "shared.c", "worker.c", "stress.c"]
                    .map(|name| sources.join(name)),
            )
            .arg("-o")
            .arg(&program)
            .status()
            .expect("the compiler runs");
        assert!(status.success(), "the stress program does not compile");
        Some(Self { program, _directory: directory })
    }

    /// A run of the program that may use all the address space there is.
    fn run(&self) -> Run {
        Run::new(&self.program)
    }

    /// A run under `ulimit -v`.
    fn run_limited(&self) -> Run {
        let script = format!("ulimit -v {ADDRESS_SPACE_KIB} && exec \"$0\" \"$@\"");
        Run::new("/bin/sh").arg("-c").arg(script).arg(&self.program)
    }
}

/// Operations asked for by the environment, or the default.
fn operations() -> u64 {
    match env::var("HEAPSIGHT_STRESS_OPS") {
        Ok(text) => text.parse().unwrap_or_else(|_| {
            panic!("HEAPSIGHT_STRESS_OPS={text}: give a number of operations, such as 100000000")
        }),
        Err(_) => OPERATIONS,
    }
}

/// Runs that many operations and some forks, and returns what the program says at the end.
fn expect_clean(run: Run, operations: u64) -> String {
    let forks = (operations / 50_000).clamp(8, 500);
    let deadline = Duration::from_secs(120 + operations / OPERATIONS_A_SECOND_MIN);
    let run = run.args(["--ops", &operations.to_string(), "--fork", &forks.to_string()]);
    let outcome = run.deadline(deadline).outcome().expect_code(0);
    let said = outcome.out();
    assert!(said.contains("clean"), "{}", outcome.story());
    eprint!("{said}");
    said
}

/// The same, on an allocator whose heap the program can check.
fn expect_checked(run: Run, operations: u64) {
    let said = expect_clean(run, operations);
    assert!(!said.contains(" 0 heap checks"), "the heap checker never ran: {said}");
}

/// Runs a thousand short-lived threads; the program itself compares the memory held.
fn expect_memory_back(run: Run) {
    let run = run.args(["--short-threads", "1000", "--threads", "8"]);
    let outcome = run.deadline(Duration::from_secs(600)).outcome().expect_code(0);
    assert!(outcome.out().contains("clean"), "{}", outcome.story());
    eprint!("{}", outcome.out());
}

#[test]
fn the_program_itself_is_clean_on_libc() {
    let Some(stress) = Stress::compile() else { return };
    expect_clean(stress.run(), OPERATIONS / 10);
}

#[test]
fn untracked_heap_stays_clean() {
    let Some(stress) = Stress::compile() else { return };
    expect_checked(stress.run().preloaded("track=off"), operations());
}

#[test]
fn tracked_heap_stays_clean() {
    let Some(stress) = Stress::compile() else { return };
    // Every operation takes a call stack here: a tenth of them is as long a test.
    expect_checked(stress.run().preloaded("track=full"), operations() / 10);
}

#[test]
fn a_heap_with_guards_for_some_blocks_stays_clean() {
    let Some(stress) = Stress::compile() else { return };
    // With a seed time sets no bound: as many guards as there are places.
    for options in ["safety=sampled", "safety=sampled:4K,safety_seed=1"] {
        expect_checked(stress.run().preloaded(options), operations());
    }
    let options = "safety=sampled:64K,track=sample:16K,safety_seed=2";
    expect_checked(stress.run_limited().preloaded(options), operations());
}

/// The modes that the other tests do not have, each with how much more than with `track=off` an
/// operation takes. `tests/stress/long.sh` runs all of them for as long as one likes.
const MODES: &[(&str, u64)] = &[
    ("safety=off,track=off", 20),
    ("safety=off,track=sample:16K", 20),
    ("safety=basic,track=stats", 20),
    ("safety=full,track=full", 40),
    ("safety=full,track=stats,quarantine=0", 40),
    ("safety=full,retain_metadata=1,leaks=on", 40),
    ("safety=guard", 100),
    ("safety=guard,guard_side=left", 100),
];

#[test]
fn no_mode_reports_a_program_without_a_mistake() {
    let Some(stress) = Stress::compile() else { return };
    for (options, dearth) in MODES {
        expect_checked(stress.run().preloaded(options), operations() / dearth);
    }
}

#[test]
fn little_address_space_is_enough() {
    let Some(stress) = Stress::compile() else { return };
    expect_checked(stress.run_limited().preloaded("track=off"), operations());
}

#[test]
fn memory_of_ended_threads_comes_back() {
    let Some(stress) = Stress::compile() else { return };
    expect_memory_back(stress.run().preloaded("track=off"));
}

#[test]
fn memory_of_ended_threads_comes_back_in_little_address_space() {
    let Some(stress) = Stress::compile() else { return };
    expect_memory_back(stress.run_limited().preloaded("track=off"));
}
