//! What viewers of ledgers need of reports: the symbols of any object file, and whose a frame is.
//! Not an interface for others.

pub use super::fold::{is_of_runtime_library, is_plumbing, own_len, roots_len};

use super::form::Form;
use super::holder::Holder;
use super::lsan::LsanForm;
use super::model::{Frame, Leak, LeakReport};
use super::modules::Module;
use super::suppress::{Date, Suppressions};
use super::symbols::{Detail, ObjectSymbols};
use super::{json, text};
use std::io::{self, Write};
use std::path::Path;
use std::string::{String, ToString};
use std::vec::Vec;

/// The symbols of one executable or shared object. Opened for one thread; read when asked for.
#[derive(Debug)]
pub struct Object(ObjectSymbols);

impl Object {
    /// The object loaded from `path`, if the file there still has that build id; its separate debug
    /// file in any case. An empty build id fits all.
    #[must_use]
    pub fn open(path: &Path, build_id: &[u8]) -> Self {
        let build_id = (!build_id.is_empty()).then(|| build_id.to_vec());
        Self(ObjectSymbols::open(&Module { path: path.into(), build_id, ..Module::default() }))
    }

    /// The frames at an address of the file, the innermost inlined one first; at least one.
    #[must_use]
    pub fn frames(&self, address: u64) -> Vec<Frame> {
        self.0.frames(address, Detail::Lines)
    }

    /// The import called by the instruction before an address of the file, demangled.
    #[must_use]
    pub fn callee(&self, return_address: u64) -> Option<String> {
        self.0.callee_name(return_address)
    }

    /// Whether the file, or a separate debug file of the same build, could be read.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.0.is_readable()
    }
}

/// Reads a report that was written as JSON.
///
/// # Errors
///
/// It is none, or of another version: a phrase that says so.
pub fn read_report(bytes: &[u8]) -> Result<LeakReport, String> {
    json::read_json(bytes)
}

/// Writes a report as JSON, as a process does at its end.
///
/// # Errors
///
/// The sink's.
pub fn write_json(report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
    Form::Json.write(report, sink)
}

/// Writes a report as text, as a process does at its end.
///
/// # Errors
///
/// The sink's.
pub fn write_text(report: &LeakReport, sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    Form::Text(text::Style { colour }).write(report, sink)
}

/// Writes a report as SARIF 2.1.0: the leaks.
///
/// # Errors
///
/// The sink's.
pub fn write_sarif(report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
    Form::Sarif.write(report, sink)
}

/// Writes a report as Markdown.
///
/// # Errors
///
/// The sink's.
pub fn write_markdown(report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
    Form::Markdown.write(report, sink)
}

/// Writes a report in LeakSanitizer's form: the leaks.
///
/// # Errors
///
/// The sink's.
pub fn write_lsan(report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
    Form::Lsan(LsanForm::DEFAULT).write(report, sink)
}

/// Writes one group of a report as text, with its share of so many bytes.
///
/// # Errors
///
/// The sink's.
pub fn write_group(group: &Leak, total: u64, sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    text::write_leak(group, total, sink, text::Style { colour })
}

/// Writes a call stack as text.
///
/// # Errors
///
/// The sink's.
pub fn write_frames(frames: &[Frame], sink: &mut dyn Write, colour: bool) -> io::Result<()> {
    text::write_frames(frames, sink, text::Style { colour })
}

/// Reads suppressions; how many there are, and what is wrong with the other lines.
#[must_use]
pub fn read_suppressions(text: &[u8]) -> (usize, Vec<String>) {
    let (mut known, mut problems) = (Suppressions::default(), Vec::new());
    known.add(text, "suppressions", &mut |problem| problems.push(problem.to_string()));
    (known.tally(Date::today()).into_uses().len(), problems)
}

/// Who holds a block, in a sentence without a subject.
#[must_use]
pub fn held_by(holder: &Holder) -> String {
    text::held_by(holder)
}
