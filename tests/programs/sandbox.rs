//! The place where a program works: the same path, the same files and the same environment each
//! time, and nothing in common with any other program.

use std::env;
use std::fmt::Write;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::support::{Outcome, Report, Run, TempDir, artifact, source_root, with_system_path};
use crate::table::Program;

/// Time after which a program hangs. Each takes a second or two; the machine may be busy.
const DEADLINE: Duration = Duration::from_secs(180);

const LINES_OF_TEXT: usize = 10_000;
const WORDS_A_LINE: usize = 10;

/// A directory to work in, another for reports, and a copy of the library that any user may read.
#[derive(Debug)]
pub(crate) struct Sandbox {
    directory: TempDir,
}

impl Sandbox {
    pub(crate) fn new(name: &str) -> Self {
        let directory = TempDir::new(name);
        open_to_all(directory.path());
        fs::copy(artifact("libheapsight.so"), directory.join("libheapsight.so"))
            .expect("the library can be copied");
        Self { directory }
    }

    /// Runs the program alone.
    pub(crate) fn run_alone(&self, program: &Program) -> Outcome {
        self.command(program).outcome()
    }

    /// Runs the program, and all that it starts, under the library with these options. What there
    /// is to report goes to a file for each process; returned are the reports of leaks.
    pub(crate) fn run_under(&self, program: &Program, options: &str) -> (Outcome, Vec<Report>) {
        let reports = self.fresh("reports");
        let options = format!("{options},report={}", reports.join("%p.json").display());
        let library = self.directory.join("libheapsight.so");
        let outcome = self.command(program).preloaded_from(&library, &options).outcome();
        // A process that was killed over its report leaves half of one.
        let written = if outcome.timed_out { Vec::new() } else { written(&reports) };
        (outcome, written)
    }

    fn command(&self, program: &Program) -> Run {
        let work = self.fresh("work");
        let input = source_root().join("tests/programs/input");
        for entry in fs::read_dir(&input).expect("the input") {
            let entry = entry.expect("an input");
            fs::copy(entry.path(), work.join(entry.file_name())).expect("an input can be copied");
        }
        fs::write(work.join("words.txt"), text()).expect("the text can be written");
        Run::new("sh")
            .args(["-euc", program.script])
            .environment(&self.environment())
            .current_dir(&work)
            .deadline(DEADLINE)
    }

    /// The whole environment: what the caller's says is no part of the workload.
    fn environment(&self) -> [(&'static str, String); 8] {
        let work = self.directory.join("work").display().to_string();
        let home = env::var("HOME").unwrap_or_default();
        let rustup = env::var("RUSTUP_HOME").unwrap_or_else(|_| format!("{home}/.rustup"));
        [
            ("PATH", with_system_path()),
            ("HOME", work.clone()),
            ("TMPDIR", work),
            ("USER", "heapsight".into()),
            ("LC_ALL", "C.UTF-8".into()),
            ("TZ", "UTC".into()),
            ("TERM", "dumb".into()),
            ("RUSTUP_HOME", rustup),
        ]
    }

    /// An empty directory of this name, for any user: databases refuse to run as root.
    fn fresh(&self, name: &str) -> PathBuf {
        let path = self.directory.join(name);
        if path.exists() {
            fs::remove_dir_all(&path).expect("the last run's directory can be removed");
        }
        fs::create_dir(&path).expect("a directory");
        open_to_all(&path);
        path
    }
}

/// The leak reports in a directory. A process that was killed or left by `_exit` has none, and a
/// file without a verdict is of a process that was not asked for leaks.
fn written(directory: &Path) -> Vec<Report> {
    let paths = fs::read_dir(directory).expect("the reports");
    paths
        .map(|entry| entry.expect("a report").path())
        .filter(|path| fs::read_to_string(path).is_ok_and(|text| text.contains("\"verdict\"")))
        .map(|path| Report::read(&path))
        .collect()
}

fn open_to_all(path: &Path) {
    fs::set_permissions(path, fs::Permissions::from_mode(0o777)).expect("permissions");
}

/// Two megabytes of words that look random, the same on every machine.
fn text() -> String {
    let mut state = 1u64;
    let mut text = String::new();
    for _ in 0..LINES_OF_TEXT {
        for place in 0..WORDS_A_LINE {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            let random = state >> 33;
            // The product makes some words frequent and most rare.
            let rank = (random % 97) * (random / 97 % 89);
            let end = if place + 1 < WORDS_A_LINE { ' ' } else { '\n' };
            write!(text, "{}{rank}{end}", WORD_STEMS[rank as usize % WORD_STEMS.len()])
                .expect("text takes text");
        }
    }
    text
}

const WORD_STEMS: [&str; 8] =
    ["heap", "block", "slab", "region", "arena", "stack", "frame", "allocator"];
