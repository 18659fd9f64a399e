//! What a leak report says, as the corpus reads it: the keys of the JSON report.

use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

use crate::build::Built;
use crate::support::{Frame, Outcome};

/// A report of one process.
#[derive(Debug, Deserialize)]
pub(crate) struct Report {
    pub(crate) leaks: Vec<Leak>,
}

/// Blocks of one class and call stack.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Leak {
    pub(crate) class: String,
    pub(crate) interior: bool,
    pub(crate) runtime: bool,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
    pub(crate) frames: Vec<Frame>,
    pub(crate) held_by: Option<Holder>,
}

/// Who holds them.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Holder {
    pub(crate) root: Root,
}

/// Where the way to them begins.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Root {
    pub(crate) kind: String,
    pub(crate) symbol: Option<String>,
    #[serde(default)]
    pub(crate) frames: Vec<Frame>,
}

impl Report {
    /// Runs the program, and reads its report; of several processes, that of the one which the
    /// program says on its standard output. Otherwise tells what happened.
    pub(crate) fn of(program: &Built, mode: &str) -> Result<Self, String> {
        Self::with(program, mode, "")
    }

    /// The same with more options.
    pub(crate) fn with(program: &Built, mode: &str, more: &str) -> Result<Self, String> {
        let pattern = program.directory().join(format!("{mode}-%p.json"));
        let options = format!("track=full,leaks=on,report={},{more}", pattern.display());
        let outcome = program.run().arg(mode).preloaded(&options).outcome();
        if outcome.timed_out || outcome.code() != Some(0) || !outcome.err().is_empty() {
            return Err(outcome.story());
        }
        let path = Self::path(program, mode, &outcome)?;
        let text = fs::read_to_string(&path).map_err(|error| format!("{error}\n"))?;
        serde_json::from_str(&text).map_err(|error| format!("{error}\n"))
    }

    fn path(program: &Built, mode: &str, outcome: &Outcome) -> Result<PathBuf, String> {
        if let Some(process) = outcome.out().trim().strip_prefix("report ") {
            return Ok(program.directory().join(format!("{mode}-{process}.json")));
        }
        let mut reports = fs::read_dir(program.directory())
            .expect("the directory can be read")
            .map(|entry| entry.expect("the directory can be read").path())
            .filter(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(mode) && name.ends_with(".json")
            });
        match (reports.next(), reports.next()) {
            (Some(only), None) => Ok(only),
            (None, _) => Err("there is no report\n".into()),
            _ => Err("several processes have reported\n".into()),
        }
    }
}

impl Leak {
    /// The line of the innermost call in the source file of that name.
    pub(crate) fn line_in(&self, file: &str) -> Option<u32> {
        self.frames.iter().find(|frame| frame.is_in(file)).and_then(|frame| frame.line)
    }
}
