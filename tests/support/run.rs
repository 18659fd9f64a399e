//! A program run to its end, with a deadline that holds for everything it started.
//!
//! The program leads a process group of its own. Whatever of the group is still there when the
//! program has ended, or when its time is up, is killed. Output goes to files and not to pipes: a
//! descendant that keeps its standard output open cannot keep the test waiting.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use super::artifact::artifact;
use super::temp::TempDir;

/// A program to run, and how.
#[derive(Debug)]
pub(crate) struct Run {
    command: Command,
    shown: String,
    deadline: Duration,
}

/// What became of it.
#[derive(Debug)]
pub(crate) struct Outcome {
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// Whether its time was up; the status is then that of the kill.
    pub(crate) timed_out: bool,
    /// Its standard output.
    pub(crate) stdout: Vec<u8>,
    /// Its standard error.
    pub(crate) stderr: Vec<u8>,
    shown: String,
}

impl Run {
    /// A program by path, or by name in `PATH`. It gets no standard input, and two minutes.
    pub(crate) fn new(program: impl AsRef<OsStr>) -> Self {
        let mut command = Command::new(program.as_ref());
        command.stdin(Stdio::null()).process_group(0);
        // What the test itself runs under must not reach the program.
        command.env_remove("LD_PRELOAD").env_remove("LD_LIBRARY_PATH").env_remove("HEAPSIGHT");
        Self {
            command,
            shown: program.as_ref().to_string_lossy().into_owned(),
            deadline: Duration::from_secs(120),
        }
    }

    /// Adds an argument.
    pub(crate) fn arg(mut self, arg: impl AsRef<OsStr>) -> Self {
        self.shown.push(' ');
        self.shown.push_str(&arg.as_ref().to_string_lossy());
        self.command.arg(arg);
        self
    }

    /// Adds arguments.
    pub(crate) fn args<A: AsRef<OsStr>>(self, args: impl IntoIterator<Item = A>) -> Self {
        args.into_iter().fold(self, Self::arg)
    }

    /// Sets a variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Replaces its environment by this one.
    pub(crate) fn environment(mut self, variables: &[(&str, String)]) -> Self {
        self.command.env_clear();
        self.command.envs(variables.iter().map(|(name, value)| (name, value)));
        self
    }

    /// Sets the directory it runs in.
    pub(crate) fn current_dir(mut self, directory: &Path) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// Sets how long it may take before it counts as hanging.
    pub(crate) fn deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Runs it under `libheapsight.so` with these options.
    pub(crate) fn preloaded(self, options: &str) -> Self {
        self.preloaded_from(&artifact("libheapsight.so"), options)
    }

    /// The same with a copy of the library, for a program that may not read the original.
    pub(crate) fn preloaded_from(self, library: &Path, options: &str) -> Self {
        self.env("LD_PRELOAD", library).env("HEAPSIGHT", options)
    }

    /// Runs it to its end.
    pub(crate) fn outcome(mut self) -> Outcome {
        let scratch = TempDir::new("output");
        let (out, err) = (scratch.join("stdout"), scratch.join("stderr"));
        self.command.stdout(File::create(&out).expect("a file for stdout"));
        self.command.stderr(File::create(&err).expect("a file for stderr"));
        let child = self.command.spawn().unwrap_or_else(|error| panic!("{}: {error}", self.shown));
        let (status, timed_out) = wait(child, self.deadline);
        Outcome {
            status,
            timed_out,
            stdout: fs::read(&out).expect("stdout is there"),
            stderr: fs::read(&err).expect("stderr is there"),
            shown: self.shown,
        }
    }
}

/// Waits for the child until its deadline, and kills what is left of its group.
fn wait(mut child: Child, deadline: Duration) -> (ExitStatus, bool) {
    let group = child.id();
    let (sender, receiver) = mpsc::channel();
    let waiter = thread::spawn(move || {
        let status = child.wait().expect("a child can be waited for");
        // The receiver waits for this or, after a kill, joins; either way it still exists.
        let _received = sender.send(());
        status
    });
    let timed_out = receiver.recv_timeout(deadline).is_err();
    kill_group(group);
    (waiter.join().expect("the waiting thread is well"), timed_out)
}

fn kill_group(group: u32) {
    let group = libc::pid_t::try_from(group).expect("a process id");
    // SAFETY: kill has no memory effects; the group was made by `process_group(0)` for this child.
    // No such group means that nothing is left to kill.
    let _gone = unsafe { libc::kill(-group, libc::SIGKILL) };
}

impl Outcome {
    /// The exit code; `None` when a signal ended it.
    pub(crate) fn code(&self) -> Option<i32> {
        self.status.code()
    }

    /// Standard output as text.
    pub(crate) fn out(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Standard error as text.
    pub(crate) fn err(&self) -> String {
        String::from_utf8_lossy(&self.stderr).into_owned()
    }

    /// Passes the outcome on if it ended with this exit code, and tells everything if not.
    pub(crate) fn expect_code(self, code: i32) -> Self {
        assert!(
            !self.timed_out && self.code() == Some(code),
            "expected exit code {code}\n{}",
            self.story()
        );
        self
    }

    /// How it ended, in words.
    pub(crate) fn ending(&self) -> String {
        match (self.timed_out, self.status.code(), self.status.signal()) {
            (true, ..) => "timed out".into(),
            (_, Some(code), _) => format!("exit code {code}"),
            (_, _, signal) => format!("signal {}", signal.unwrap_or_default()),
        }
    }

    /// Everything about it, for a failed assertion.
    pub(crate) fn story(&self) -> String {
        format!(
            "$ {}\n{}\n--- stdout ---\n{}\n--- stderr ---\n{}",
            self.shown,
            self.ending(),
            self.out(),
            self.err()
        )
    }
}
