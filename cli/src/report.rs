//! Whether the report can be written, asked before the program starts rather than after it ran.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::process;

use heapsight::options::{PathError, ReportPath};

/// Why the report cannot be written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReportError {
    #[error(
        "cannot write the report to '{}': {error}: the program was not started",
        .path.display()
    )]
    Unwritable { path: PathBuf, error: io::Error },
    #[error("cannot write the report to '{}': it is a directory: add a file name", .0.display())]
    Directory(PathBuf),
    #[error(
        "cannot write the report to '{}': its directory does not exist: create it first",
        .0.display()
    )]
    NoDirectory(PathBuf),
    #[error("cannot write the report to '{}': {error}", .path.display())]
    BadPath { path: PathBuf, error: PathError },
}

/// The file of the report, found writable.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The path that was given, made absolute: the program may change its directory.
    pub(crate) template: PathBuf,
    /// The file that was created for the asking.
    created: Option<PathBuf>,
}

impl Claim {
    /// Makes sure that the report can go to `report`; nothing to do if it goes to stderr. An older
    /// report there stays as it is until the new one is written.
    pub(crate) fn stake(report: &ReportPath) -> Result<Option<Self>, ReportError> {
        if report.is_empty() {
            return Ok(None);
        }
        let template = absolute(Path::new(OsStr::from_bytes(report.as_bytes())))?;
        let path = expand(&template)?;
        let existed = path.exists();
        open(&path)?;
        Ok(Some(Self { template, created: (!existed).then_some(path) }))
    }

    /// Removes the file if it was created for the asking.
    pub(crate) fn withdraw(self) {
        if let Some(path) = self.created {
            // The failure that led here is what the user hears about.
            let _removed = fs::remove_file(path);
        }
    }
}

fn absolute(path: &Path) -> Result<PathBuf, ReportError> {
    path::absolute(path).map_err(|error| ReportError::Unwritable { path: path.into(), error })
}

/// The path that the program's own report will have: it keeps the id of this process.
fn expand(template: &Path) -> Result<PathBuf, ReportError> {
    let expanded = ReportPath::new(template.as_os_str().as_bytes())
        .and_then(|path| path.expand(process::id()))
        .map_err(|error| ReportError::BadPath { path: template.into(), error })?;
    Ok(OsStr::from_bytes(expanded.as_bytes()).into())
}

fn open(path: &Path) -> Result<(), ReportError> {
    let opened = match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(ReportError::Directory(path.into())),
        // To open a pipe or a device may wait for somebody, or do something.
        Ok(metadata) if !metadata.is_file() => return Ok(()),
        _ => OpenOptions::new().create(true).truncate(false).write(true).open(path),
    };
    match opened.map(drop::<File>) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Err(ReportError::NoDirectory(path.into()))
        }
        Err(error) => Err(ReportError::Unwritable { path: path.into(), error }),
    }
}
