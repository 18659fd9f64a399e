//! Whether the ledger can be made.

use std::ffi::OsString;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process;

use heapsight::options::ReportPath;

use crate::place::{self, PlaceError, Problem};

/// The ledger's path, made absolute, after making sure that a file can come to be there; `None`
/// without a ledger. An older ledger there stays as it is until there is a new one.
pub(crate) fn check(ledger: &ReportPath) -> Result<Option<PathBuf>, PlaceError> {
    if ledger.is_empty() {
        return Ok(None);
    }
    let what = "ledger";
    let [template, path] = place::paths(what, ledger)?;
    match try_out(&path) {
        Ok(()) => Ok(Some(template)),
        Err(problem) => Err(PlaceError { what, path, problem }),
    }
}

/// Does as the library will: it makes the file under another name, and renames it.
fn try_out(path: &Path) -> Result<(), Problem> {
    match fs::metadata(path) {
        Ok(metadata) if metadata.is_dir() => return Err(Problem::Directory),
        // A device or a pipe would be replaced.
        Ok(metadata) if !metadata.is_file() => return Err(Problem::NoFile),
        _ => {}
    }
    let mut draft = OsString::from(path);
    draft.push(format!(".{}", process::id()));
    File::create(&draft)?;
    Ok(fs::remove_file(&draft)?)
}
