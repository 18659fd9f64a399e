//! Mistakes with blocks are found, named, and shown with the right functions; and programs that
//! make none run as ever.
//!
//! The programs are in `planted/`: each makes one mistake, with a block of the kind and size that
//! it is told. [`corpus`] says what must be found of each. What was found, and by which means, is
//! the table in `docs/safety.md`; with `HEAPSIGHT_WRITE_DOCS=1` in the environment it is written
//! anew.

mod copies;
mod corpus;
mod hostile;
mod operators;
mod planted;
mod sampled;
mod sizes;
#[path = "../support/mod.rs"]
mod support;
mod table;

use corpus::{Case, Language, Mode, cases};
use heapsight::Heapsight;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::{env, thread};
use support::{Outcome, Run, TempDir};
use table::{Result, Table};

#[global_allocator]
static HEAP: Heapsight = Heapsight::new();

/// The planted programs, compiled once, in a directory that stays as long as the tests run.
struct Programs {
    directory: TempDir,
}

impl Programs {
    fn get() -> &'static Self {
        static PROGRAMS: OnceLock<Programs> = OnceLock::new();
        PROGRAMS.get_or_init(|| {
            let programs = Self { directory: TempDir::new("safety") };
            let source = support::source_root().join("tests/safety/planted");
            let build = |compiler: &str, flags: &[&str], file: &str, name: &str| {
                Run::new(compiler)
                    .args(flags)
                    .arg("-o")
                    .arg(programs.directory.join(name))
                    .arg(source.join(file))
                    .outcome()
                    .expect_code(0);
            };
            // Some mistakes are seen by the compiler.
            let flags = ["-g", "-O1", "-std=gnu11", "-w", "-pthread"];
            build("cc", &flags, "misuse.c", "c");
            build("cc", &flags, "hostile.c", "hostile");
            build("cc", &flags, "sampled.c", "sampled");
            // These are to call what they name.
            build("cc", &[&flags[..], &["-fno-builtin"]].concat(), "copies.c", "copies");
            let flags = ["-g", "-O1", "-std=c++17", "-w", "-fno-builtin"];
            build("c++", &flags, "copies.cpp", "copies-cpp");
            build("c++", &["-g", "-O1", "-std=c++17", "-w"], "misuse.cpp", "cpp");
            build("c++", &["-g", "-O1", "-std=c++17", "-w"], "operators.cpp", "operators");
            programs
        })
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    fn run(&self, case: &Case, mode: Mode) -> Outcome {
        match case.kind.language {
            Language::C => Run::new(self.path("c")).args(&case.arguments).preloaded(mode.options()),
            Language::Cpp => {
                Run::new(self.path("cpp")).args(&case.arguments).preloaded(mode.options())
            }
            Language::Rust => Run::new(env::current_exe().expect("this program"))
                .args(["--exact", "planted_misuse", "--test-threads=1"])
                .env(planted::VARIABLE, case.arguments.join(" "))
                .env("HEAPSIGHT", mode.options()),
        }
        .outcome()
    }
}

/// A planted program in Rust; a test that does nothing where nothing is planted.
#[test]
fn planted_misuse() {
    planted::misuse();
}

/// What became of a case: a line of the table, and everything that is wrong.
fn judge(case: &Case, mode: Mode, outcome: &Outcome) -> (Result, Vec<String>) {
    let message = outcome.err();
    let is_stopped = outcome.code() != Some(0);
    let kind = &case.kind;
    let mut faults = Vec::new();
    let mut expect = |is_right: bool, what: String| {
        if !is_right {
            let name = format!("{} {} {mode:?}", kind.language, case.arguments.join(" "));
            faults.push(format!("{name}: {what}:\n{message}"));
        }
    };
    let is_named = kind.says.iter().any(|sentence| message.contains(sentence));
    if kind.is_right() {
        expect(!is_stopped && message.is_empty(), "a right program is stopped".into());
    }
    match kind.is_found(mode, case.size) {
        Some(true) => {
            expect(is_stopped, "it goes on".into());
            expect(is_named, format!("none of {:?}", kind.says));
            for function in kind.functions.iter().filter(|_| mode.watches()) {
                expect(message.contains(function), format!("no {function}"));
            }
        }
        Some(false) => expect(!is_stopped && message.is_empty(), "it is stopped".into()),
        None => {}
    }
    (Result::of(is_named, &message), faults)
}

/// The cases that a mode is tried on: what `basic` finds does not depend on the size.
fn is_tried(case: &Case, mode: Mode) -> bool {
    match mode {
        Mode::Full | Mode::Guard => true,
        Mode::Basic | Mode::Left => case.size == 24 || case.size == 116,
    }
}

#[test]
fn the_corpus_is_found_as_the_docs_say() {
    let cases = cases();
    let mistakes = cases.iter().filter(|case| !case.kind.is_right()).count();
    assert!(mistakes >= 120, "{mistakes} programs with mistakes");
    let programs = Programs::get();
    let runs: Vec<_> = cases
        .iter()
        .flat_map(|case| Mode::ALL.map(|mode| (case, mode)))
        .filter(|(case, mode)| is_tried(case, *mode))
        .collect();
    let (next, table, faults) =
        (AtomicUsize::new(0), Mutex::new(Table::default()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while let Some((case, mode)) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (result, found) = judge(case, *mode, &programs.run(case, *mode));
                    table.lock().expect("whole").add(case, *mode, result);
                    faults.lock().expect("whole").extend(found);
                }
            });
        }
    });
    let faults = faults.into_inner().expect("whole");
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
    table.into_inner().expect("whole").compare_with_docs();
}
