//! A process changes what is recorded of it, by a call or at a signal.

use crate::attaching::{BATCH, BLOCK, Steady};
use crate::program::Program;
use crate::support::Run;

/// Blocks of each phase of `switching.c`, and their size.
const BLOCKS: u64 = 10_000;
const SIZE: u64 = 1000;

const ALL: (u64, u64) = (BATCH, BATCH * BLOCK);
const NONE: (u64, u64) = (0, 0);

#[test]
fn a_program_sets_what_is_recorded_of_it() {
    let program = Program::build("switching.c");
    let outcome = program.run("track=off").outcome().expect_code(0);
    let said = outcome.err();
    assert_eq!(said.lines().count(), 3, "{}", outcome.story());
    assert!(said.contains("did you mean 'full'?") && said.contains("'full,leaks=on'"), "{said}");

    let report = program.report();
    assert_eq!(report.tracking.mode, "off");
    let counted = |name| report.function(name).allocations;
    assert_eq!((counted("while_off"), counted("while_off_again")), (0, 0));
    // Without stacks, nobody knows whose they are.
    assert_eq!((counted("while_stats"), counted("")), (0, BLOCKS));
    assert_eq!(counted("while_full"), BLOCKS + 1);
    let sampled = report.function("while_sampled");
    let distance = (sampled.bytes as f64 - (BLOCKS * SIZE) as f64).abs();
    assert!(sampled.samples > 100 && distance < 5.0 * sampled.bytes_error, "{sampled:?}");
}

#[test]
fn a_signal_switches_off_and_on() {
    let mut steady = Steady::start("track=full,toggle_signal=USR1");
    assert_eq!(steady.counts_of_a_batch("fetch"), ALL);
    for (mode, expected) in [("off", NONE), ("full", ALL), ("off", NONE), ("full", ALL)] {
        steady.signal(libc::SIGUSR1);
        // The process follows with one of its next blocks.
        steady.batch();
        assert_eq!(steady.program.report().tracking.mode, mode);
        assert_eq!(steady.counts_of_a_batch("fetch"), expected);
    }
    steady.end();
}

#[test]
fn a_signal_brings_back_what_was_recorded_before() {
    let mut steady = Steady::start("track=sample:8K,toggle_signal=USR2");
    for mode in ["off", "sample:8192", "off", "sample:8192"] {
        steady.signal(libc::SIGUSR2);
        steady.batch();
        assert_eq!(steady.program.report().tracking.mode, mode);
    }
    steady.end();
}

#[test]
fn a_signal_switches_a_process_on_that_was_not_tracked() {
    let mut steady = Steady::start("track=off,toggle_signal=URG");
    assert_eq!(steady.counts_of_a_batch("fetch"), NONE);
    steady.signal(libc::SIGURG);
    steady.batch();
    assert_eq!(steady.counts_of_a_batch("fetch"), ALL);
    let report = steady.end();
    assert!(report.tracking.before_blocks >= 1000, "{:?}", report.tracking);
    assert_eq!(report.process.state, "exited");
}

/// Signals that come faster than anybody follows, in the middle of everything.
#[test]
fn a_storm_of_signals_disturbs_nobody() {
    for options in ["track=full", "track=sample:1K", "track=off"] {
        let program = Program::build("signals.c");
        let outcome = program.run(&format!("{options},toggle_signal=USR1")).outcome();
        assert_eq!(outcome.expect_code(0).err(), "", "{options}");
    }
}

/// What is said when the program has the signal already.
const TAKEN: &str =
    "heapsight: the program handles or ignores signal 10: toggle_signal does nothing\n";

#[test]
fn a_handler_of_the_programs_own_stays() {
    let program = Program::build("signals.c");
    let options = "track=full,toggle_signal=USR1";
    let outcome = program.run("track=off").arg(options).outcome().expect_code(0);
    assert_eq!(outcome.err(), TAKEN);
    assert_eq!(program.report().tracking.mode, "full");
    // One that the program installs later takes the place of ours.
    let outcome = program.run(options).arg("track=full").outcome().expect_code(0);
    assert_eq!(outcome.err(), "");
    assert_eq!(program.report().tracking.mode, "full");
}

#[test]
fn a_signal_that_is_ignored_stays_ignored() {
    let program = Program::build("signals.c");
    let script = "trap '' USR1; export LD_PRELOAD=\"$1\"; shift; exec \"$@\"";
    let run = Run::new("sh").args(["-c", script, "sh"]);
    let run = run.arg(crate::support::artifact("libheapsight.so")).arg(program.path());
    let options = program.options("track=full,toggle_signal=USR1");
    let outcome = run.env("HEAPSIGHT", options).outcome().expect_code(0);
    assert_eq!(outcome.err(), TAKEN);
    assert_eq!(program.report().tracking.mode, "full");
}
