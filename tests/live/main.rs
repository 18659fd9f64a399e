//! Running processes are asked what they have leaked: asleep, busy, with signal handlers and
//! children of their own, by two at once, over and over. They must not notice.

#[path = "../support/mod.rs"]
mod support;

mod asked;
mod growth;
mod redis;
mod why;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Output, Stdio};
use std::{env, str};

use serde_json::Value;
use support::{Run, TempDir, artifact, source_root};

/// A running `asked.c`.
struct Asked {
    directory: TempDir,
    child: Child,
    output: BufReader<ChildStdout>,
    /// The addresses of a block that it keeps, and of one that it has freed.
    kept: u64,
    freed: u64,
}

/// Compiles a program or, with `flags`, a library of these tests.
fn compile(file: &str, to: &Path, flags: &[&str]) {
    Run::new(env::var("CC").unwrap_or_else(|_| "cc".into()))
        .args(["-g", "-O1", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-pthread"])
        .args(flags)
        .arg("-o")
        .arg(to)
        .arg(source_root().join("tests/live/programs").join(file))
        .outcome()
        .expect_code(0);
}

impl Asked {
    /// Starts it on a ledger that has every block.
    fn start(how: &str) -> Self {
        Self::start_with(how, "track=full")
    }

    fn start_with(how: &str, options: &str) -> Self {
        let directory = TempDir::new("live");
        let program = directory.join("asked");
        compile("asked.c", &program, &[]);
        let ledger = directory.join("a.ledger");
        let mut child = Command::new(program)
            .arg(how)
            .env("LD_PRELOAD", artifact("libheapsight.so"))
            .env("HEAPSIGHT", format!("{options},ledger={}", ledger.display()))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        let mut line = String::new();
        output.read_line(&mut line).expect("it speaks");
        let mut words = line.trim().split(' ');
        assert_eq!(words.next(), Some("ready"), "{line}");
        let mut address = || {
            let digits = words.next()?.strip_prefix("0x")?;
            u64::from_str_radix(digits, 16).ok()
        };
        let (kept, freed) = (address().expect("an address"), address().expect("another"));
        Self { directory, child, output, kept, freed }
    }

    fn pid(&self) -> String {
        self.child.id().to_string()
    }

    fn ledger(&self) -> PathBuf {
        self.directory.join("a.ledger")
    }

    /// Ends its input; what it says of what it saw. It must have ended well.
    fn end(mut self) -> String {
        drop(self.child.stdin.take());
        let mut said = String::new();
        while self.output.read_line(&mut said).expect("it speaks") > 0 {}
        assert_eq!(self.child.wait().expect("a child").code(), Some(5), "{said}");
        said
    }

    /// Has it add to the list that grows.
    fn grow(&mut self) {
        self.child.stdin.as_mut().expect("a pipe").write_all(b"g").expect("it listens");
        let mut done = [0];
        std::io::Read::read_exact(&mut self.output, &mut done).expect("it answers");
        assert_eq!(&done, b"d");
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        // It has ended, or a test has failed.
        let _gone = self.child.kill();
        let _status = self.child.wait();
    }
}

/// The command, with these arguments.
fn heapsight(arguments: &[&str]) -> Command {
    let mut command = Command::new(artifact("heapsight"));
    command.args(arguments).env_remove("HEAPSIGHT").env_remove("LD_PRELOAD");
    command.stdout(Stdio::piped()).stderr(Stdio::piped()).stdin(Stdio::null());
    command
}

/// Exit code, standard output and standard error.
struct Said {
    code: Option<i32>,
    out: String,
    err: String,
}

impl From<Output> for Said {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Self { code: output.status.code(), out: text(&output.stdout), err: text(&output.stderr) }
    }
}

fn said(arguments: &[&str]) -> Said {
    heapsight(arguments).output().expect("the command starts").into()
}

/// The report of a process as JSON; it has leaks.
fn report(pid: &str) -> Value {
    let said = said(&["leaks", pid, "--format", "json"]);
    assert_eq!(said.code, Some(23), "{}{}", said.out, said.err);
    serde_json::from_str(&said.out).expect("JSON")
}

/// What `asked.c` has planted is lost, and nothing else.
fn expect_planted(report: &Value) {
    let leaks = report["leaks"].as_array().expect("a list");
    let mut lost: Vec<_> = leaks
        .iter()
        .filter(|leak| leak["class"] != "reachable" && leak["runtime"] == false)
        .map(|leak| {
            let frames = leak["frames"].as_array().expect("frames");
            let own = frames.iter().find(|frame| frame["line"].is_u64()).expect("the program's");
            let number = |name: &str| leak[name].as_u64().expect("a number");
            (
                leak["class"].as_str().expect("a class"),
                own["function"].as_str().expect("a name"),
                (number("blocks"), number("bytes")),
            )
        })
        .collect();
    lost.sort_unstable();
    let (block, node) = (("lost", "leak_block", (1, 1000)), (1, 208));
    assert_eq!(
        lost,
        [("cycle", "leak_cycle", node), ("cycle", "leak_cycle", node), block],
        "{report:#}"
    );
    assert!(report["pause_ns"].as_u64().is_some_and(|pause| pause > 0), "{report:#}");
}
