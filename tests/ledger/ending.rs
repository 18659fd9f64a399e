//! However a program ends, its ledger is complete, up to the last operation that it completed.

use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::thread;
use std::time::Duration;

use crate::program::Program;
use crate::replay::Replay;

/// Blocks that libc has of itself, for a thread that is started: its record, its table of
/// thread-local storage.
const PER_THREAD: u64 = 4;
/// Bytes of a log entry.
const RECORD_LEN: u64 = 16;

/// How far a run is let go before it is killed, in entries of its log.
const KILLED_AFTER: [u64; 6] = [1, 40, 700, 3001, 10_000, 40_003];

fn log_len(log: &Path) -> u64 {
    fs::metadata(log).map_or(0, |log| log.len())
}

/// Kills a run of `threads` threads when its log has so many entries, wherever it is then.
fn killed_after(program: &Program, threads: u64, entries: u64) {
    let log = program.join(format!("log-{threads}-{entries}"));
    let mut command = program.command("track=full");
    let mut child = command
        .arg(&log)
        .args([&threads.to_string(), "1000000000", "return"])
        .spawn()
        .expect("the program");
    while log_len(&log) < entries * RECORD_LEN {
        assert!(child.try_wait().expect("a child").is_none(), "the program ended early");
        thread::sleep(Duration::from_micros(200));
    }
    child.kill().expect("the program still runs");
    assert_eq!(child.wait().expect("a child").signal(), Some(libc::SIGKILL));
    let (replay, report) = (Replay::of(&log), program.report());
    assert_eq!((report.process.pid, report.process.state.as_str()), (child.id(), "vanished"));
    // Each has two entries, but for one of each thread that is on its way.
    let least = entries.saturating_sub(threads) / 2;
    assert!(replay.operations >= least, "the log is as long as it was seen to be");
    replay.compare(&report, (threads - 1) * PER_THREAD);
}

#[test]
fn a_killed_program_leaves_a_whole_ledger() {
    let program = Program::build("steps.c");
    for entries in KILLED_AFTER {
        killed_after(&program, 1, entries);
    }
}

#[test]
fn a_killed_program_of_several_threads_leaves_a_whole_ledger() {
    let program = Program::build("steps.c");
    for entries in KILLED_AFTER {
        killed_after(&program, 4, entries);
    }
}

/// Runs the program to an ending of its own choice; how it ended, by exit code or signal.
fn ended_by(ending: &str, threads: u64) -> (Option<i32>, Option<i32>, String, Option<i32>) {
    let program = Program::build("steps.c");
    let log = program.join("log");
    let run = program.run("track=full").arg(&log).args([&threads.to_string(), "3001", ending]);
    let outcome = run.outcome();
    let (replay, report) = (Replay::of(&log), program.report());
    assert!(replay.operations >= 3001, "{}", outcome.story());
    replay.compare(&report, (threads - 1) * PER_THREAD);
    let (process, status) = (report.process, outcome.status);
    (status.code(), status.signal(), process.state, process.status)
}

#[test]
fn so_does_one_that_calls_exit_without_its_handlers() {
    assert_eq!(ended_by("_exit", 1), (Some(3), None, "vanished".into(), None));
    assert_eq!(ended_by("_exit", 3), (Some(3), None, "vanished".into(), None));
}

#[test]
fn so_does_one_that_aborts() {
    assert_eq!(ended_by("abort", 1), (None, Some(libc::SIGABRT), "vanished".into(), None));
    assert_eq!(ended_by("abort", 3), (None, Some(libc::SIGABRT), "vanished".into(), None));
}

#[test]
fn so_does_one_that_returns_from_main() {
    assert_eq!(ended_by("return", 1), (Some(0), None, "exited".into(), Some(0)));
    assert_eq!(ended_by("return", 3), (Some(0), None, "exited".into(), Some(0)));
}
