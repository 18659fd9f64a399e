//! Operators `new` and `delete` that Heapsight does not see: those of the program, and those that a
//! library brings for itself.

use super::Programs;
use super::support::{Outcome, Run, source_root};
use std::path::PathBuf;

const MODES: [&str; 4] = ["safety=basic", "track=full", "safety=full", "safety=guard"];

/// How a library is linked that calls no operators but its own.
const OWN: [(&str, &[&str]); 3] = [
    ("symbolic", &["-DHIDDEN=", "-DOPERATORS", "-Wl,-Bsymbolic"]),
    ("hidden", &["-DHIDDEN=__attribute__((visibility(\"hidden\")))", "-DOPERATORS"]),
    ("stripped", &["-DHIDDEN=__attribute__((visibility(\"hidden\")))", "-DOPERATORS", "-s"]),
];

/// A program and a library built with `flags`, in a directory of their own; the program.
fn build(name: &str, flags: &[&str]) -> PathBuf {
    let source = source_root().join("tests/safety/planted");
    let library = Programs::get().path(&format!("lib{name}.so"));
    let program = Programs::get().path(&format!("{name}-user"));
    let compile = |flags: &[&str], file: &str, out: &PathBuf| {
        let compiler = Run::new("c++").args(["-g", "-O1", "-std=c++17", "-w"]).args(flags);
        compiler.arg(source.join(file)).arg("-o").arg(out)
    };
    let shared = ["-shared", "-fPIC", "-static-libstdc++"];
    compile(&[&shared, flags].concat(), "library.cpp", &library).outcome().expect_code(0);
    let user = compile(&[], "library-user.cpp", &program);
    user.arg(&library).arg("-Wl,-rpath,$ORIGIN").outcome().expect_code(0);
    program
}

fn run(program: &PathBuf, kind: &str, options: &str) -> Outcome {
    Run::new(program).arg(kind).preloaded(options).outcome()
}

#[test]
fn what_a_programs_own_operators_ask_for_is_their_business() {
    for options in MODES {
        let outcome = Run::new(Programs::get().path("operators")).preloaded(options).outcome();
        assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{options}");
    }
}

#[test]
fn what_a_librarys_own_operators_made_may_be_deleted() {
    for (name, flags) in OWN {
        let program = build(name, flags);
        for (kind, options) in ["made", "sized", "ended"].iter().flat_map(|k| MODES.map(|m| (k, m)))
        {
            let outcome = run(&program, kind, options);
            let said = outcome.err();
            assert_eq!((outcome.code(), said.as_str()), (Some(0), ""), "{name} {kind} {options}");
        }
    }
}

#[test]
fn what_a_library_made_without_operators_may_not_be_deleted() {
    for (name, flags) in [("plain", &["-DHIDDEN="][..]), ("bare", &["-DHIDDEN=", "-s"])] {
        let program = build(name, flags);
        for (kind, function) in [("made", "make_it"), ("ended", "end_it")] {
            for options in ["safety=full", "safety=guard"] {
                let outcome = run(&program, kind, options);
                let said = outcome.err();
                assert!(said.contains("allocation family mismatch: "), "{name} {kind}:\n{said}");
                assert!(said.contains(function), "{name} {kind}: no {function}:\n{said}");
            }
        }
    }
}
