//! A ledger that cannot be made, or has no room: the program runs on, and somebody says so.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::program::Program;
use crate::replay::Replay;
use crate::report::Report;
use crate::support::{Outcome, Run, TempDir, artifact};

/// Runs `steps.c` on a ledger at `path`; it does all that it is to do.
fn steps_on(program: &Program, path: &Path, more: &str) -> Outcome {
    let log = program.join("log");
    let _absent = fs::remove_file(&log);
    let options = format!("ledger={},{more}", path.display());
    let run = Run::new(program.path()).arg(&log).args(["2", "5000", "return"]);
    let outcome = run.preloaded(&options).outcome().expect_code(0);
    assert_eq!(Replay::of(&log).operations, 10_000);
    outcome
}

/// One line, which names the file and what is the matter.
fn assert_said(outcome: &Outcome, path: &Path, why: &str) {
    let said = outcome.err();
    let named = format!("heapsight: cannot write the ledger {}", path.display());
    let is_right = said.starts_with(&named) && said.contains(why) && said.lines().count() == 1;
    assert!(is_right, "{}", outcome.story());
    assert!(!path.exists());
}

#[test]
fn a_ledger_in_a_missing_directory_is_said_to_be_missing() {
    let program = Program::build("steps.c");
    let path = program.join("no/such/directory/a.ledger");
    assert_said(&steps_on(&program, &path, "track=full"), &path, "No such file or directory");
}

#[test]
fn a_ledger_beyond_the_limit_of_files_is_not_made() {
    let program = Program::build("steps.c");
    let (log, path) = (program.join("log"), program.ledger());
    let script = "ulimit -f 2000; export LD_PRELOAD=\"$1\"; shift; exec \"$@\"";
    let run = Run::new("sh").args(["-c", script, "sh"]).arg(artifact("libheapsight.so"));
    let run = run.arg(program.path()).arg(&log).args(["2", "5000", "return"]);
    let outcome = run.env("HEAPSIGHT", program.options("track=full")).outcome().expect_code(0);
    assert_eq!(Replay::of(&log).operations, 10_000);
    assert_said(&outcome, &path, "File too large");
}

/// A child's ledger has what its parent's knows from the beginning, or is not made.
#[test]
fn a_childs_ledger_that_has_no_room_is_not_made() {
    let program = Program::build("family.c");
    let mut made = [0; 3];
    for kibibytes in (160..=512).step_by(16) {
        let Some(small) = Tmpfs::mount(kibibytes) else { return };
        let options = format!("track=full,ledger={}", small.directory.join("a.ledger").display());
        let outcome = Run::new(program.path()).preloaded(&options).outcome().expect_code(0);
        let out = outcome.out();
        for (pid, made) in out.lines().zip(&mut made) {
            let own = small.directory.join(format!("a.{pid}.ledger"));
            if !own.exists() {
                let no_room = out.lines().last() == Some(pid)
                    || outcome.err().contains(&format!("a.{pid}.ledger: No space left"));
                assert!(no_room, "{}", outcome.story());
                continue;
            }
            let report = Report::of(&own);
            assert_eq!(report.process.pid.to_string(), pid, "{report:#?}");
            *made += 1;
        }
    }
    assert!(made[0] > made[1] && made[1] > 0, "{made:?} of the sizes were enough");
}

/// A file system in memory, as large as it is to be, that goes away with this.
struct Tmpfs {
    directory: TempDir,
}

impl Tmpfs {
    /// `None`, after saying so, where this user may not mount one.
    fn mount(kibibytes: u32) -> Option<Self> {
        let directory = TempDir::new("tmpfs");
        let size = format!("size={kibibytes}k,mode=777");
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "heapsight-test"])
            .arg(directory.path())
            .output();
        if mounted.as_ref().is_ok_and(|output| output.status.success()) {
            return Some(Self { directory });
        }
        eprintln!("SKIPPED: cannot mount a tmpfs here: {mounted:?}");
        None
    }
}

impl Drop for Tmpfs {
    fn drop(&mut self) {
        // What stays mounted is empty and small.
        let _unmounted = Command::new("umount").arg(self.directory.path()).status();
    }
}

#[test]
fn a_ledger_on_a_full_file_system_is_not_made() {
    let program = Program::build("steps.c");
    let Some(full) = Tmpfs::mount(4) else { return };
    let path = full.directory.join("a.ledger");
    assert_said(&steps_on(&program, &path, "track=full"), &path, "No space left on device");
}

#[test]
fn a_ledger_that_fills_its_file_system_says_what_it_could_not_take() {
    let program = Program::build("steps.c");
    let mut incomplete = 0;
    // From too small for anything, a page at a time, to large enough for all.
    for kibibytes in (8..=256).step_by(8) {
        let Some(small) = Tmpfs::mount(kibibytes) else { return };
        let path = small.directory.join("a.ledger");
        let outcome = steps_on(&program, &path, "track=full");
        if !path.exists() {
            assert_said(&outcome, &path, "No space left on device");
            continue;
        }
        assert_eq!(outcome.err(), "", "{}", outcome.story());
        let report = Report::of(&path);
        let replay = Replay::of(&program.join("log"));
        if report.notes.is_empty() {
            replay.compare(&report, 4);
        } else {
            assert!(report.totals.total_allocations <= replay.allocations() + 4, "{report:#?}");
            incomplete += 1;
        }
    }
    assert!(incomplete > 3, "{incomplete} of the sizes were in between");
}
