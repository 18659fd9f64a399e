//! Whether the report can be written.

use std::fs::{self, File, OpenOptions};
use std::path::{Path, PathBuf};

use heapsight::options::ReportPath;

use crate::place::{self, PlaceError, Problem};

/// The file of the report, found writable.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The path that was given, made absolute.
    pub(crate) template: PathBuf,
    /// The file that was created for the asking.
    created: Option<PathBuf>,
}

impl Claim {
    /// Makes sure that the report can go to `report`; nothing to do if it goes to stderr. An older
    /// report there stays as it is until the new one is written.
    pub(crate) fn stake(report: &ReportPath) -> Result<Option<Self>, PlaceError> {
        if report.is_empty() {
            return Ok(None);
        }
        let what = "report";
        let [template, path] = place::paths(what, report)?;
        let existed = path.exists();
        match open(&path) {
            Ok(()) => Ok(Some(Self { template, created: (!existed).then_some(path) })),
            Err(problem) => Err(PlaceError { what, path, problem }),
        }
    }

    /// Removes the file if it was created for the asking.
    pub(crate) fn withdraw(self) {
        if let Some(path) = self.created {
            // The failure that led here is what the user hears about.
            let _removed = fs::remove_file(path);
        }
    }
}

fn open(path: &Path) -> Result<(), Problem> {
    let opened = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(Problem::Directory),
        // To open a pipe or a device may wait for somebody, or do something.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        _ => OpenOptions::new().create(true).truncate(false).write(true).open(path),
    };
    Ok(opened.map(drop::<File>)?)
}
