//! Whether the files of known leaks can be read, asked before the program runs.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{self, Path, PathBuf};

use heapsight::options::ReportPath;

/// A file that cannot be read: all that it is to suppress would be reported.
#[derive(Debug, thiserror::Error)]
#[error(
    "cannot read the suppressions in '{}': {error}: the program was not started",
    .path.display()
)]
pub(crate) struct SuppressionsError {
    path: PathBuf,
    error: io::Error,
}

/// The list of paths, made absolute, after making sure that they can be read; `None` without any.
pub(crate) fn check(list: &ReportPath) -> Result<Option<OsString>, SuppressionsError> {
    let mut absolute = OsString::new();
    for item in list.as_bytes().split(|byte| *byte == b':').filter(|item| !item.is_empty()) {
        let given = Path::new(OsStr::from_bytes(item));
        let wrong = |error| SuppressionsError { path: given.into(), error };
        let path = path::absolute(given).map_err(wrong)?;
        // A directory can be opened, but not read.
        File::open(&path)
            .and_then(|mut file| io::Read::read(&mut file, &mut [0]))
            .map_err(wrong)?;
        if !absolute.is_empty() {
            absolute.push(":");
        }
        absolute.push(path);
    }
    Ok((!absolute.is_empty()).then_some(absolute))
}
