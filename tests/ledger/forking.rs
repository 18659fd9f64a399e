//! Each process has a ledger of its own: the forked child's begins at zero, its parent's is not
//! disturbed, and a new program in an old process has a new one.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::program::Program;
use crate::report::Report;
use crate::support::{Run, artifact};

/// Allocations and blocks in use, by function of the program.
type Counts = BTreeMap<String, (u64, u64)>;

fn counts(report: &Report) -> Counts {
    let of_program = |name: &&str| name.starts_with("of_");
    let functions = report.functions();
    let names = functions.iter().filter(|(name, _)| of_program(name));
    names.map(|(name, it)| (String::from(*name), (it.allocations, it.live))).collect()
}

fn expected(function: &str, allocations: u64, live: u64) -> Counts {
    BTreeMap::from([(function.to_owned(), (allocations, live))])
}

/// Runs the family, and checks what its ledgers say.
fn check(program: &Program, run: Run) {
    let outcome = run.outcome().expect_code(0);
    let pids: Vec<u32> =
        outcome.out().lines().map(|pid| pid.parse().expect("a process id")).collect();
    let [child, grandchild, parent] = pids[..] else { panic!("{}", outcome.story()) };
    assert_eq!(outcome.err(), "", "{}", outcome.story());
    let ledger_of = |pid: u32| -> PathBuf { program.join(format!("a.{pid}.ledger")) };

    let report = program.report();
    assert_eq!((report.process.pid, report.process.forked_from), (parent, None));
    assert_eq!(counts(&report), expected("of_parent", 17, 16));
    assert_eq!(report.totals.total_allocations, 17);
    assert_eq!(report.process.state, "exited");

    let report = Report::of(&ledger_of(child));
    assert_eq!((report.process.pid, report.process.forked_from), (child, Some(parent)));
    assert_eq!(counts(&report), expected("of_child", 7, 6));
    assert_eq!((report.totals.total_allocations, report.totals.total_deallocations), (7, 1));
    assert_eq!((report.totals.current_allocations, report.totals.current_bytes), (6, 1200));

    // Two programs, one after the other, in one process: the ledger is the later one's.
    let report = Report::of(&ledger_of(grandchild));
    assert_eq!((report.process.pid, report.process.forked_from), (grandchild, None));
    assert_eq!(counts(&report), expected("of_new_program", 9, 9));
    assert_eq!(report.process.state, "exited");
}

#[test]
fn each_process_under_the_command_has_a_ledger_of_its_own() {
    let program = Program::build("family.c");
    let run = Run::new(artifact("heapsight")).args(["run", "--ledger"]).arg(program.ledger());
    check(&program, run.arg("--").arg(program.path()));
}

#[test]
fn each_process_that_is_preloaded_has_a_ledger_of_its_own() {
    let program = Program::build("family.c");
    check(&program, program.run("track=full"));
}

#[test]
fn a_later_run_takes_the_ledger_of_an_earlier_one() {
    let program = Program::build("family.c");
    check(&program, program.run("track=full"));
    check(&program, program.run("track=full"));
}
