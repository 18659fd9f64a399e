//! What went wrong, in one line, and the exit code that says so to a script.

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use crate::library::LibraryError;
use crate::place::PlaceError;
use crate::program::ProgramError;
use crate::settings::SettingsError;
use crate::suppressions::SuppressionsError;
use crate::view::source::SourceError;

/// Why the command ends without having done what it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Settings(#[from] SettingsError),
    #[error(transparent)]
    Place(#[from] PlaceError),
    #[error(transparent)]
    Suppressions(#[from] SuppressionsError),
    #[error(transparent)]
    Library(#[from] LibraryError),
    #[error(transparent)]
    Program(#[from] ProgramError),
    #[error(transparent)]
    Source(#[from] SourceError),
    #[error("{0}")]
    Question(String),
    #[error("cannot write to '{}': {error}", .path.display())]
    File { path: PathBuf, error: io::Error },
    #[error("{0}")]
    Growth(String),
    #[error("{0}")]
    Patience(String),
    #[error("{0}")]
    Check(String),
    #[error("cannot use the terminal: {0}: --once prints a picture as text")]
    Terminal(io::Error),
    #[error("cannot write to standard output: {0}")]
    Output(#[from] io::Error),
}

impl Failure {
    /// 2 as for a wrong command line; 125 to 127 as `env`, `nohup` and the shells use them.
    pub(crate) fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Self::Settings(_)
            | Self::Place(_)
            | Self::Suppressions(_)
            | Self::Source(_)
            | Self::Question(_) => 2,
            Self::Library(_) => 125,
            Self::Program(error) if error.is_missing() => 127,
            Self::Program(_) => 126,
            Self::File { .. }
            | Self::Growth(_)
            | Self::Patience(_)
            | Self::Check(_)
            | Self::Terminal(_)
            | Self::Output(_) => 1,
        })
    }
}
