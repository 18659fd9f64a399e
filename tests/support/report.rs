//! The JSON report as data.

use serde::Deserialize;
use std::fs;
use std::path::Path;

/// A report of one process.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    /// The program it is about.
    pub(crate) program: String,
    /// The process it is about.
    pub(crate) pid: u32,
    /// The sentence that sums it up.
    pub(crate) verdict: String,
    /// What was not freed, by call stack.
    pub(crate) leaks: Vec<Leak>,
}

/// Blocks of one call stack that were not freed.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Leak {
    /// `lost`, `indirect`, `cycle`, `possible` or `reachable`.
    pub(crate) class: String,
    /// Kept on purpose by a run-time library.
    pub(crate) runtime: bool,
    /// How many.
    pub(crate) blocks: u64,
    /// How many bytes were asked for.
    pub(crate) bytes: u64,
    /// The call stack, innermost first.
    pub(crate) frames: Vec<Frame>,
}

/// One call of a stack.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Frame {
    /// The function, demangled; null when unknown.
    pub(crate) function: Option<String>,
    /// Its source file; null when unknown.
    pub(crate) file: Option<String>,
    /// The line in it; null when unknown.
    pub(crate) line: Option<u32>,
    /// The executable or library; null when unknown.
    pub(crate) module: Option<String>,
    /// Whether the compiler dissolved the call into its caller.
    pub(crate) inlined: bool,
}

/// How much of a file that is no report a failed test shows.
const SHOWN_MAX: usize = 2000;

impl Report {
    /// Reads a report file.
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path)
            .unwrap_or_else(|error| panic!("no report at {}: {error}", path.display()));
        serde_json::from_str(&text).unwrap_or_else(|error| {
            let beginning: String = text.chars().take(SHOWN_MAX).collect();
            panic!("{} is not a report: {error}\n{beginning}", path.display())
        })
    }

    /// The leaks that count: what libc and the language run-times keep on purpose does not.
    pub(crate) fn leaked(&self) -> impl Iterator<Item = &Leak> {
        self.leaks.iter().filter(|leak| leak.class != "reachable" && !leak.runtime)
    }
}

impl Leak {
    /// The frames in the named source file, innermost first.
    pub(crate) fn frames_in<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Frame> {
        self.frames.iter().filter(move |frame| frame.is_in(file))
    }
}

impl Frame {
    /// Whether the call stands in the source file of this name, in whatever directory.
    pub(crate) fn is_in(&self, file: &str) -> bool {
        self.file.as_deref().is_some_and(|path| path.rsplit('/').next() == Some(file))
    }

    /// Whether the function has this name, whatever its scope, arguments and return type are.
    pub(crate) fn is_function(&self, name: &str) -> bool {
        let plain = self.function.as_deref().map(plain_name).unwrap_or_default();
        plain
            .strip_suffix(name)
            .is_some_and(|scope| scope.is_empty() || scope.ends_with([':', ' ', '*', '&']))
    }
}

/// `char* pool::make<char>(unsigned long)` without its template and its other arguments.
fn plain_name(function: &str) -> String {
    let mut depth = 0usize;
    let mut plain = String::new();
    for symbol in function.chars() {
        match symbol {
            '<' => depth += 1,
            '>' => depth = depth.saturating_sub(1),
            '(' if depth == 0 => break,
            other if depth == 0 => plain.push(other),
            _ => {}
        }
    }
    plain
}
