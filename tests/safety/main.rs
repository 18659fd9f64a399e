//! Mistakes with blocks are found, named, and shown with the right functions; and programs that make
//! none run as ever.
//!
//! The programs are in `planted/`: each makes one mistake, with a block of the kind and size that it
//! is told. [`corpus`] says what must be found of each.

mod corpus;
#[path = "../support/mod.rs"]
mod support;

use corpus::{Case, Language, cases};
use std::path::PathBuf;
use std::sync::OnceLock;
use support::{Outcome, Run, TempDir};

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
            build("cc", &["-g", "-O1", "-std=gnu11", "-w", "-pthread"], "misuse.c", "c");
            build("c++", &["-g", "-O1", "-std=c++17", "-w"], "misuse.cpp", "cpp");
            programs
        })
    }

    fn path(&self, language: Language) -> PathBuf {
        self.directory.join(match language {
            Language::C => "c",
            Language::Cpp => "cpp",
        })
    }

    fn run(&self, case: &Case, safety: &str) -> Outcome {
        let options = format!("safety={safety}");
        Run::new(self.path(case.language)).args(&case.arguments).preloaded(&options).outcome()
    }
}

/// Everything wrong with an outcome.
fn faults(case: &Case, safety: &str, outcome: &Outcome) -> Vec<String> {
    let expected = if safety == "full" { case.full } else { case.basic };
    let (message, is_aborted) = (outcome.err(), outcome.code().is_none());
    let mut faults = Vec::new();
    let mut expect = |is_right: bool, what: String| {
        if !is_right {
            faults.push(format!("{} ({safety}): {what}:\n{message}", case.name()));
        }
    };
    match expected {
        Some(sentence) => {
            expect(is_aborted, "it goes on".to_string());
            expect(message.contains(sentence), format!("no '{sentence}'"));
            for function in case.functions.iter().filter(|_| safety == "full") {
                expect(message.contains(function), format!("no {function}"));
            }
        }
        None => expect(message.is_empty() && !is_aborted, "it is stopped".to_string()),
    }
    faults
}

fn assert_corpus(safety: &str) {
    let programs = Programs::get();
    let faults: Vec<_> =
        cases().iter().flat_map(|case| faults(case, safety, &programs.run(case, safety))).collect();
    assert!(faults.is_empty(), "{} faults:\n{}", faults.len(), faults.join("\n"));
}

#[test]
fn the_corpus_is_large() {
    assert!(cases().len() >= 120, "{} programs", cases().len());
}

#[test]
fn full_safety_finds_what_a_free_can_see() {
    assert_corpus("full");
}

#[test]
fn basic_safety_finds_wrong_frees() {
    assert_corpus("basic");
}
