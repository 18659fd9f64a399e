//! Whether a file can be written, asked before the program starts rather than after it ran.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};
use std::process;

use heapsight::options::{PathError, ReportPath};

/// Why a report or a ledger cannot be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write the {what} to '{}': {problem}", .path.display())]
pub(crate) struct PlaceError {
    pub(crate) what: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) problem: Problem,
}

/// What is the matter with the path.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("{0}: the program was not started")]
    Unwritable(io::Error),
    #[error("it is a directory: add a file name")]
    Directory,
    #[error("it is not a file")]
    NoFile,
    #[error("its directory does not exist: create it first")]
    NoDirectory,
    #[error("{0}")]
    BadPath(PathError),
}

impl From<io::Error> for Problem {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NoDirectory,
            _ => Self::Unwritable(error),
        }
    }
}

/// The path as it was given, made absolute, because the program may change its directory; and the
/// path that the program's own file will have: it keeps the id of this process.
pub(crate) fn paths(what: &'static str, given: &ReportPath) -> Result<[PathBuf; 2], PlaceError> {
    let given = Path::new(OsStr::from_bytes(given.as_bytes()));
    let wrong = |path: &Path, problem| PlaceError { what, path: path.into(), problem };
    let template =
        path::absolute(given).map_err(|error| wrong(given, Problem::Unwritable(error)))?;
    let expanded = ReportPath::new(template.as_os_str().as_bytes())
        .and_then(|path| path.expand(process::id()))
        .map_err(|error| wrong(&template, Problem::BadPath(error)))?;
    Ok([template, OsStr::from_bytes(expanded.as_bytes()).into()])
}
