//! One program: alone, then under the library in each mode, and what the difference is.

use std::time::{Duration, Instant};

use crate::results::{self, Verdict};
use crate::sandbox::Sandbox;
use crate::support::{Outcome, Report, install, missing};
use crate::table::Program;

/// How the library is to behave; the last one reports.
pub(crate) const MODES: [&str; 4] =
    ["track=off", "track=full", "safety=full,track=full", "track=full,leaks=on"];

/// Text on stderr that says that the library, or the loader for its sake, has a complaint.
const COMPLAINTS: [&str; 2] = ["heapsight:", "cannot be preloaded"];

/// What the library has to say to a program that brings its own malloc.
const STAYS_OUT: &str = "brings its own malloc";

/// Tries the program and records the verdict; panics when it is a difference.
pub(crate) fn run(program: &Program) {
    let verdict = verdict(program);
    results::record(program, &verdict);
    match verdict {
        Verdict::Identical { .. } => {}
        Verdict::Skipped(reason) => eprintln!("SKIPPED: {}: {reason}", program.name),
        Verdict::Different(story) => panic!("{}: {story}", program.name),
    }
}

fn verdict(program: &Program) -> Verdict {
    install("programs", crate::all().map(|program| program.need));
    let absent = missing(&program.need);
    if !absent.is_empty() {
        return Verdict::Skipped(format!("{} not installed", absent.join(" ")));
    }
    let sandbox = Sandbox::new(program.name);
    let (alone, alone_took) = timed(|| sandbox.run_alone(program));
    if alone.code() != Some(0) || alone.stdout.is_empty() {
        eprintln!("{}", alone.story());
        return Verdict::Skipped(format!("does not work here by itself: {}", alone.ending()));
    }
    let mut times = vec![alone_took];
    let mut processes = 0;
    for mode in MODES {
        let ((outcome, reports), took) = timed(|| sandbox.run_under(program, mode));
        times.push(took);
        let is_reporting = mode.contains("leaks=on");
        if let Some(difference) = difference(program, &alone, &outcome, &reports, is_reporting) {
            return Verdict::Different(format!("under {mode}: {difference}"));
        }
        processes = reports.len();
    }
    Verdict::Identical { times, processes }
}

fn timed<T>(action: impl FnOnce() -> T) -> (T, Duration) {
    let start = Instant::now();
    (action(), start.elapsed())
}

/// What is different under the library, if anything is.
fn difference(
    program: &Program,
    alone: &Outcome,
    outcome: &Outcome,
    reports: &[Report],
    is_reporting: bool,
) -> Option<String> {
    let err = outcome.err();
    let complains = COMPLAINTS.iter().any(|complaint| {
        let mut lines = err.lines().filter(|line| line.contains(complaint));
        lines.any(|line| !(program.witness.is_empty() && line.contains(STAYS_OUT)))
    });
    let has_witness = reports.iter().any(|report| {
        let name = report.program.rsplit('/').next().unwrap_or_default();
        program.witness.split('|').any(|part| name.contains(part))
    });
    let what = if outcome.timed_out {
        "it hangs".to_owned()
    } else if outcome.status != alone.status {
        format!("it ends with {} instead of {}", outcome.ending(), alone.ending())
    } else if outcome.stdout != alone.stdout {
        format!("stdout differs {}", first_difference(&alone.out(), &outcome.out()))
    } else if complains {
        "the library complains".to_owned()
    } else if is_reporting && !has_witness {
        let programs: Vec<_> = reports.iter().map(|report| report.program.as_str()).collect();
        format!("no report of a {}, only of {}", program.witness, programs.join(" "))
    } else {
        return None;
    };
    Some(format!("{what}\n{}", outcome.story()))
}

/// Where two texts part, so that nobody has to compare two megabytes by eye.
fn first_difference(expected: &str, found: &str) -> String {
    let mut lines = expected.lines().zip(found.lines()).zip(1..);
    match lines.find(|((expected, found), _)| expected != found) {
        Some(((expected, found), line)) => {
            format!("in line {line}:\n  alone: {expected}\n  under: {found}")
        }
        None => {
            let (expected, found) = (expected.lines().count(), found.lines().count());
            format!("in length: {found} lines instead of {expected}")
        }
    }
}
