//! The C and C++ examples build without a warning, against the shared and the static library, hold
//! what they assert, and print what they promise. So does `make check`, and the header compiles in
//! every dialect that it claims.

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use support::{Outcome, Run, TempDir, artifact, artifacts, source_root};

const WARNINGS: &[&str] = &["-Wall", "-Wextra", "-Werror", "-pedantic", "-g", "-O2"];

/// What a Rust static library asks of the linker.
const SYSTEM_LIBRARIES: &[&str] = &["-lgcc_s", "-lutil", "-lrt", "-lpthread", "-lm", "-ldl"];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Linkage {
    Shared,
    Static,
}

fn examples() -> PathBuf {
    source_root().join("c-examples")
}

/// The compiler and dialect for a source file.
fn compiler(file: &str) -> Run {
    let (program, dialect) =
        if file.ends_with(".cpp") { ("c++", "-std=c++17") } else { ("cc", "-std=c11") };
    Run::new(program).arg(dialect).args(WARNINGS).arg("-I").arg(source_root().join("include"))
}

/// Builds an example and runs it to its good end.
fn run(file: &str, linkage: Linkage) -> Outcome {
    let directory = TempDir::new("example");
    let program = directory.join("example");
    let build = compiler(file).arg("-o").arg(&program).arg(examples().join(file));
    let build = match linkage {
        Linkage::Shared => build
            .arg(format!("-L{}", artifacts().display()))
            .arg("-lheapsight")
            .arg(format!("-Wl,-rpath,{}", artifacts().display())),
        Linkage::Static => build.arg(artifact("libheapsight.a")).args(SYSTEM_LIBRARIES),
    };
    build.outcome().expect_code(0);
    // One of them makes a mistake.
    Run::new(program).env("HEAPSIGHT", "safety_action=report").outcome().expect_code(0)
}

/// Runs an example both ways. Its output must have these lines, its stderr these words.
fn check(file: &str, lines: &[&str], words: &[&str]) {
    for linkage in [Linkage::Shared, Linkage::Static] {
        let outcome = run(file, linkage);
        let (out, err) = (outcome.out(), outcome.err());
        for line in lines {
            let is_there = out.lines().any(|printed| printed == *line);
            assert!(is_there, "{linkage:?}: no `{line}` from {}", outcome.story());
        }
        for word in words {
            assert!(err.contains(word), "{linkage:?}: no `{word}` from {}", outcome.story());
        }
        assert!(!words.is_empty() || err.is_empty(), "{linkage:?}: {}", outcome.story());
    }
}

#[test]
fn hello_greets_from_the_heap() {
    check("hello.c", &["hello, heap", "the heap is sound"], &[]);
}

#[test]
fn legacy_sizes_are_checked() {
    let lines = ["pushed 1000 values, room for 1024", "the sizes were checked"];
    check("legacy.c", &lines, &["size mismatch", "100000"]);
}

#[test]
fn leak_check_finds_a_leak_and_sees_the_fix() {
    let lines = ["leaked blocks: 3", "more after the fix: 0"];
    check("leak_check.c", &lines, &["player_new", "leak_check.c:", "120"]);
}

#[test]
fn statistics_are_exact() {
    let lines = ["10 blocks: 1400 bytes at the peak, 0 at the end"];
    check("statistics.c", &lines, &["peak"]);
}

#[test]
fn alignments_are_honoured() {
    let lines =
        ["21 alignments, up to 1048576 bytes", "impossible requests fail and nothing else does"];
    check("aligned.c", &lines, &[]);
}

#[test]
fn cxx_allocates_from_heapsight() {
    let lines = ["C++ on Heapsight", "1000 words of 3 lengths", "every block came back"];
    check("cxx.cpp", &lines, &[]);
}

#[test]
fn every_example_is_tested() {
    let tests = fs::read_to_string(source_root().join("tests/c_examples.rs")).expect("this file");
    let readme = fs::read_to_string(examples().join("README.md")).expect("the README");
    let makefile = fs::read_to_string(examples().join("Makefile")).expect("the Makefile");
    for entry in fs::read_dir(examples()).expect("the examples") {
        let path = entry.expect("an entry").path();
        let name = |part: Option<&std::ffi::OsStr>| part.expect("a name").display().to_string();
        let (file, stem) = (name(path.file_name()), name(path.file_stem()));
        if file.ends_with(".c") || file.ends_with(".cpp") {
            assert!(tests.contains(&format!("check(\"{file}\"")), "{file} is not tested");
            assert!(readme.contains(&file), "{file} is not in the README");
            assert!(makefile.contains(&format!(" {stem}")), "{file} is not in the Makefile");
        }
    }
}

#[test]
fn the_makefile_builds_and_runs_all() {
    let directory = TempDir::new("make");
    let outcome = Run::new("make")
        .arg("-C")
        .arg(examples())
        .arg("check")
        .arg(format!("LIBRARY={}", artifacts().display()))
        .arg(format!("BUILD={}", directory.path().display()))
        .outcome()
        .expect_code(0);
    let ran = outcome.out().lines().filter(|line| line.starts_with("== ")).count();
    assert_eq!(ran, 12, "{}", outcome.story());
}

/// Compiles a file that has only the header in it.
fn assert_header_compiles(program: &str, dialect: &str, extension: &str) {
    let directory = TempDir::new("header");
    let source = directory.join(format!("header.{extension}"));
    fs::write(&source, "#include <heapsight.h>\n#include <heapsight.h>\n").expect("a source file");
    compile_only(program, dialect, &source);
}

fn compile_only(program: &str, dialect: &str, source: &Path) {
    Run::new(program)
        .arg(dialect)
        .args(WARNINGS)
        .args(["-fsyntax-only", "-I"])
        .arg(source_root().join("include"))
        .arg(source)
        .outcome()
        .expect_code(0);
}

#[test]
fn the_header_is_c() {
    for dialect in ["-std=c99", "-std=c11", "-std=c17"] {
        assert_header_compiles("cc", dialect, "c");
    }
}

#[test]
fn the_header_is_cpp() {
    for dialect in ["-std=c++11", "-std=c++17", "-std=c++20"] {
        assert_header_compiles("c++", dialect, "cpp");
    }
}
