//! What a process records changes while it runs.

use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};

use crate::program::Program;
use crate::report::Report;
use crate::support::artifact;

/// What `steady.c` does before it is asked to do anything, and each time that it is.
const EARLY: u64 = 1000;
const EARLY_BYTES: u64 = EARLY * 64;
pub(crate) const BATCH: u64 = 2000;
pub(crate) const BLOCK: u64 = 500;

/// A running `steady.c`.
pub(crate) struct Steady {
    pub(crate) program: Program,
    child: Child,
}

impl Steady {
    pub(crate) fn start(options: &str) -> Self {
        let program = Program::build("steady.c");
        let child = program.command(options).spawn().expect("the program");
        let mut steady = Self { program, child };
        // From here on its ledger is there, and its early blocks are, too.
        steady.batch();
        steady
    }

    fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends it a signal, which it gets before it does anything else.
    pub(crate) fn signal(&self, signal: i32) {
        let pid = libc::pid_t::try_from(self.pid()).expect("a process id");
        // SAFETY: kill has no memory effects; the child has not been waited for.
        assert_eq!(unsafe { libc::kill(pid, signal) }, 0);
    }

    /// Has it do one batch.
    pub(crate) fn batch(&mut self) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        input.write_all(b"x").expect("the program listens");
        let mut word = [0];
        let output = self.child.stdout.as_mut().expect("a pipe");
        output.read_exact(&mut word).expect("the program answers");
        assert_eq!(&word, b"d");
    }

    /// Has it do batches until it has followed `heapsight attach --track MODE`.
    fn attach(&mut self, mode: &str) {
        let mut attach = Command::new(artifact("heapsight"))
            .args(["attach", &self.pid().to_string(), "--track", mode, "--wait", "60"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("the command");
        while attach.try_wait().expect("a child").is_none() {
            self.batch();
        }
        let said = attach.wait_with_output().expect("a child");
        let line = format!("process {} now records: --track {mode}\n", self.pid());
        assert_eq!((said.status.code(), said.stdout), (Some(0), line.into_bytes()));
        let shown = mode.replace("64K", "65536");
        let report = self.program.report();
        let (mode, state) = (report.tracking.mode, report.process.state);
        assert_eq!((mode, state.as_str()), (shown, "running"));
    }

    /// What one more batch adds to the counters of `function` ("" where stacks are not recorded),
    /// in blocks and bytes.
    pub(crate) fn counts_of_a_batch(&mut self, function: &str) -> (u64, u64) {
        let before = self.program.report().function(function);
        self.batch();
        let after = self.program.report().function(function);
        (after.allocations - before.allocations, after.bytes - before.bytes)
    }

    /// Lets it end, which it does well if nothing has disturbed it.
    pub(crate) fn end(mut self) -> Report {
        drop(self.child.stdin.take());
        let output = self.child.wait_with_output().expect("a child");
        assert_eq!((output.status.code(), output.stdout), (Some(0), b"intact".to_vec()));
        self.program.report()
    }
}

#[test]
fn a_process_records_what_attach_asks_for() {
    let mut steady = Steady::start("track=off");
    assert_eq!(steady.counts_of_a_batch("fetch"), (0, 0));

    steady.attach("full");
    assert_eq!(steady.counts_of_a_batch("fetch"), (BATCH, BATCH * BLOCK));
    let report = steady.program.report();
    assert!(!report.tracking.is_estimated);
    // Of the batches before, some blocks are kept, too.
    let (blocks, bytes) = (report.tracking.before_blocks, report.tracking.before_bytes);
    assert!((EARLY..=EARLY + 2100).contains(&blocks), "{blocks} blocks from before");
    assert!((EARLY_BYTES..4 << 20).contains(&bytes), "{bytes} bytes from before");
    assert_eq!(report.function("from_before").allocations, 0);

    steady.attach("stats");
    assert_eq!(steady.counts_of_a_batch("fetch"), (0, 0));
    assert_eq!(steady.counts_of_a_batch(""), (BATCH, BATCH * BLOCK));

    steady.attach("sample:64K");
    let before = steady.program.report().function("fetch");
    assert!(before.allocations > 0);
    (0..20).for_each(|_| steady.batch());
    let report = steady.program.report();
    let after = report.function("fetch");
    let counted = (after.bytes - before.bytes) as f64;
    let error = after.bytes_error;
    assert!(report.tracking.is_estimated && error > 0.0, "{report:#?}");
    let expected = (20 * BATCH * BLOCK) as f64;
    assert!((counted - expected).abs() < 5.0 * error, "{counted} ± {error} of {expected}");

    steady.attach("off");
    assert_eq!(steady.counts_of_a_batch("fetch"), (0, 0));
    assert_eq!(steady.counts_of_a_batch(""), (0, 0));

    steady.attach("full");
    assert_eq!(steady.counts_of_a_batch("fetch"), (BATCH, BATCH * BLOCK));
    let report = steady.end();
    assert_eq!((report.process.state.as_str(), report.process.status), ("exited", Some(0)));
}

#[test]
fn nothing_is_from_before_where_recording_begins_with_the_program() {
    let report = Steady::start("track=full").end();
    assert_eq!((report.tracking.before_blocks, report.tracking.before_bytes), (0, 0));
}
