//! The planted programs, built as their users build theirs: with debug information.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

use crate::support::{self, Run, TempDir};

/// What a program is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Language {
    C,
    Cpp,
    Rust,
}

impl Language {
    pub(crate) const ALL: [Self; 3] = [Self::C, Self::Cpp, Self::Rust];

    /// Its folder, which is also what its files end in.
    fn name(self) -> &'static str {
        match self {
            Self::C => "c",
            Self::Cpp => "cpp",
            Self::Rust => "rust",
        }
    }

    fn compiler(self) -> Run {
        let (variable, default) = match self {
            Self::C => ("CC", "cc"),
            Self::Cpp => ("CXX", "c++"),
            Self::Rust => ("RUSTC", "rustc"),
        };
        let command = Run::new(env::var(variable).unwrap_or_else(|_| default.to_owned())).arg("-g");
        match self {
            Self::C => command.args(["-std=gnu11", "-Wall", "-Wno-unused-function", "-pthread"]),
            Self::Cpp => command.args(["-std=c++17", "-Wall", "-pthread"]),
            Self::Rust => command.arg("--edition=2024"),
        }
    }
}

/// A program, ready to run, in a directory that goes away with it.
#[derive(Debug)]
pub(crate) struct Built {
    directory: TempDir,
    source: PathBuf,
}

/// The sources of a language's programs; those of their libraries, `*.lib.c`, are not among them.
pub(crate) fn sources(language: Language) -> Vec<PathBuf> {
    let folder = support::source_root().join("tests/reach/programs").join(language.name());
    let chosen = env::var("HEAPSIGHT_REACH").unwrap_or_default();
    let mut found: Vec<_> = fs::read_dir(&folder)
        .expect("the folder of programs is there")
        .map(|entry| entry.expect("the folder can be read").path())
        .filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            !name.contains(".lib.") && name.contains(&chosen)
        })
        .collect();
    found.sort();
    found
}

impl Built {
    /// Compiles the program, and its library if it has one.
    pub(crate) fn new(language: Language, source: &Path, level: &str) -> Self {
        let directory = TempDir::new("reach");
        let mut compiler = language.compiler().arg(level);
        let library = source.with_extension("lib.c");
        if library.is_file() {
            let output = directory.join("libplanted.so");
            let flags = ["-shared", "-fPIC", "-o"];
            Language::C.compiler().arg(level).args(flags).arg(&output).arg(&library).done();
            compiler = compiler.arg(format!("-DPLANT_LIBRARY=\"{}\"", output.display()));
        }
        compiler.arg("-o").arg(directory.join("planted")).arg(source).done();
        Self { directory, source: source.to_owned() }
    }

    /// The command to run it.
    pub(crate) fn run(&self) -> Run {
        Run::new(self.directory.join("planted"))
    }

    /// Its source file.
    pub(crate) fn source(&self) -> &Path {
        &self.source
    }

    /// Where it lies.
    pub(crate) fn directory(&self) -> &Path {
        self.directory.path()
    }
}

impl Run {
    /// Runs it, and it must succeed.
    fn done(self) {
        self.outcome().expect_code(0);
    }
}
