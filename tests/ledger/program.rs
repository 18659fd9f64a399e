//! The programs of these tests: compiled, and started on a ledger.

use std::env;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::report::Report;
use crate::support::{Run, TempDir, artifact, source_root};

/// A program, ready to run, in a directory of its own.
#[derive(Debug)]
pub(crate) struct Program {
    directory: TempDir,
}

impl Program {
    /// Compiles `file`.
    pub(crate) fn build(file: &str) -> Self {
        let directory = TempDir::new("ledger");
        Run::new(env::var("CC").unwrap_or_else(|_| "cc".into()))
            .args(["-g", "-O1", "-std=gnu11", "-Wall", "-Werror", "-pthread", "-o"])
            .arg(directory.join("program"))
            .arg(source_root().join("tests/ledger/programs").join(file))
            .arg("-ldl")
            .outcome()
            .expect_code(0);
        Self { directory }
    }

    /// The executable.
    pub(crate) fn path(&self) -> PathBuf {
        self.join("program")
    }

    /// A path in its directory.
    pub(crate) fn join(&self, name: impl AsRef<Path>) -> PathBuf {
        self.directory.join(name)
    }

    /// Where its ledger is.
    pub(crate) fn ledger(&self) -> PathBuf {
        self.join("a.ledger")
    }

    /// The options that keep that ledger, and `more`.
    pub(crate) fn options(&self, more: &str) -> String {
        format!("ledger={},{more}", self.ledger().display())
    }

    /// To run it to its end, on its ledger.
    pub(crate) fn run(&self, more: &str) -> Run {
        Run::new(self.path()).preloaded(&self.options(more))
    }

    /// To start it on its ledger and go on meanwhile; its streams are pipes.
    pub(crate) fn command(&self, more: &str) -> Command {
        let mut command = Command::new(self.path());
        command
            .env("LD_PRELOAD", artifact("libheapsight.so"))
            .env("HEAPSIGHT", self.options(more))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        command
    }

    /// What the command says of its ledger.
    pub(crate) fn report(&self) -> Report {
        Report::of(&self.ledger())
    }
}
