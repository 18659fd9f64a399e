//! `heapsight run`: becomes the program, with the library in front.
//!
//! The command replaces itself by the program instead of starting a child. So the program has the
//! process id that the caller knows, and signals, job control and the exit code need no passing on.

use std::env;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{self, Command};

use crate::args::RunArgs;
use crate::failure::Failure;
use crate::ledger;
use crate::library::Library;
use crate::program::{self, Problem, ProgramError, Subject};
use crate::report::Claim;
use crate::settings::Settings;
use crate::suppressions;

/// The options, read by the library.
const OPTIONS: &str = "HEAPSIGHT";
/// Says to the library that the command started the program.
const RUN: &str = "HEAPSIGHT_RUN";
/// The process whose report goes to the path as it was given.
const RUN_PID: &str = "HEAPSIGHT_RUN_PID";
const PRELOAD: &str = "LD_PRELOAD";

/// Runs the program; comes back only if that failed.
pub(crate) fn run(args: &RunArgs) -> Result<(), Failure> {
    let mut settings = Settings::gather(env::var_os(OPTIONS).as_deref(), args)?;
    let config = settings.config()?;
    let name = args.program.first().map(OsString::as_os_str).unwrap_or_default();
    let program = program::find(name)?;
    let library = Library::find(args.library.as_deref())?;
    program::check(&program, library.architecture)?;
    // Processes that the program starts may have other directories.
    if let Some(absolute) = ledger::check(&config.ledger)?
        && absolute.as_os_str().as_bytes() != config.ledger.as_bytes()
    {
        settings.set_path("ledger", &absolute)?;
    }
    if let Some(absolute) = suppressions::check(&config.suppressions)? {
        settings.set_path("suppressions", Path::new(&absolute))?;
    }
    let claim = Claim::stake(&config.report)?;
    if let Some(claim) = &claim {
        settings.set_path("report", &claim.template)?;
    }
    let error = Command::new(&program)
        .arg0(name)
        .args(args.program.iter().skip(1))
        .env(OPTIONS, settings.into_variable())
        .env(PRELOAD, preload(&library.path, env::var_os(PRELOAD).as_deref()))
        .env(RUN, "1")
        .env(RUN_PID, process::id().to_string())
        .exec();
    if let Some(claim) = claim {
        claim.withdraw();
    }
    let problem = Problem::NotStarted(error);
    Err(ProgramError::Unfit { program, subject: Subject::Program, problem }.into())
}

/// Puts the library in front of what is preloaded already.
fn preload(library: &Path, inherited: Option<&OsStr>) -> OsString {
    let library = library.as_os_str().as_bytes();
    let mut list = library.to_vec();
    let inherited = inherited.unwrap_or_default().as_bytes();
    for other in inherited.split(|byte| matches!(byte, b' ' | b':')) {
        if !other.is_empty() && other != library {
            list.push(b':');
            list.extend_from_slice(other);
        }
    }
    OsString::from_vec(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_library_comes_first_and_once() {
        let preload = |inherited: &str| preload(Path::new("/l.so"), Some(OsStr::new(inherited)));
        assert_eq!(preload(""), "/l.so");
        assert_eq!(preload("/a.so b.so"), "/l.so:/a.so:b.so");
        assert_eq!(preload("/a.so:/l.so"), "/l.so:/a.so");
    }
}
