//! The planted programs, built as their users build theirs: with debug information.

use std::env;
use std::path::{Path, PathBuf};

use crate::support::{self, Need, Run, TempDir};

/// A planted program, ready to run, in a directory that goes away with it.
#[derive(Debug)]
pub(crate) struct Planted {
    directory: TempDir,
    file: &'static str,
    command: Vec<PathBuf>,
}

impl Planted {
    /// Compiles a C program.
    pub(crate) fn c(file: &'static str, level: &str) -> Self {
        let compiler = compiler("CC", "cc");
        Self::compile(&compiler, file, &[level, "-std=gnu11", "-pthread", "-ldl"])
    }

    /// Compiles a C++ program.
    pub(crate) fn cpp(file: &'static str, level: &str) -> Self {
        Self::compile(&compiler("CXX", "c++"), file, &[level, "-std=c++17", "-pthread"])
    }

    /// Compiles a Rust program; no crates, so no cargo.
    pub(crate) fn rust(file: &'static str) -> Self {
        let compiler = compiler("RUSTC", "rustc");
        Self::compile(&compiler, file, &["-O", "--edition=2024"])
    }

    /// Compiles a Python extension, run by the script beside it. `None`, after saying so, on a
    /// machine without Python's headers.
    pub(crate) fn python(file: &'static str) -> Option<Self> {
        let headers = Need { commands: "python3 python3-config", packages: "python3-dev" };
        support::install("leaks", [headers].into_iter());
        let (interpreter, include) = python()?;
        let directory = TempDir::new("planted");
        Run::new(compiler("CC", "cc"))
            .args(["-g", "-O2", "-Wall", "-shared", "-fPIC", "-o"])
            .arg(directory.join("leaky.so"))
            .arg("-I")
            .arg(include)
            .arg(source(file))
            .outcome()
            .expect_code(0);
        let command = vec![interpreter, source("leaky.py"), directory.path().to_owned()];
        Some(Self { directory, file, command })
    }

    fn compile(compiler: &str, file: &'static str, flags: &[&str]) -> Self {
        let directory = TempDir::new("planted");
        let program = directory.join("planted");
        Run::new(compiler)
            .arg("-g")
            .args(flags)
            .arg("-o")
            .arg(&program)
            .arg(source(file))
            .outcome()
            .expect_code(0);
        Self { directory, file, command: vec![program] }
    }

    /// The command to run it.
    pub(crate) fn run(&self) -> Run {
        Run::new(&self.command[0]).args(&self.command[1..])
    }

    /// The command to run it by `heapsight run` with these options.
    pub(crate) fn run_by_command(&self, options: &[String]) -> Run {
        Run::new(support::artifact("heapsight"))
            .arg("run")
            .args(options)
            .arg("--")
            .args(&self.command)
    }

    /// The name of its source file.
    pub(crate) fn file(&self) -> &'static str {
        self.file
    }

    /// Its source file.
    pub(crate) fn source(&self) -> PathBuf {
        source(self.file)
    }

    /// A path in its directory.
    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }
}

fn source(file: &str) -> PathBuf {
    support::source_root().join("tests/leaks/planted").join(file)
}

fn compiler(variable: &str, default: &str) -> String {
    env::var(variable).unwrap_or_else(|_| default.to_owned())
}

/// The interpreter itself, not a script that stands in for it, and where its headers are.
fn python() -> Option<(PathBuf, PathBuf)> {
    let Some(command) = support::find_command("python3") else {
        eprintln!("SKIPPED: there is no python3");
        return None;
    };
    let question = "import sys, sysconfig; print(sys.executable, sysconfig.get_path('include'))";
    let answer = Run::new(command).arg("-c").arg(question).outcome().expect_code(0).out();
    let (interpreter, include) = answer.trim().split_once(' ').expect("two paths");
    if Path::new(include).join("Python.h").is_file() {
        return Some((interpreter.into(), include.into()));
    }
    eprintln!("SKIPPED: {include}/Python.h is missing; on Debian it comes with python3-dev");
    None
}
