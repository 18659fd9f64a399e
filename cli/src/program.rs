//! Which file a program's name means, and whether a library can be preloaded into it.
//!
//! The loader ignores `LD_PRELOAD`, or the program dies in it with a riddle, when the program is
//! linked statically, to another C library, for another machine, or runs with other rights than its
//! caller. All of that can be read off the file before anything is started.

use std::env;
use std::ffi::{OsStr, OsString};
use std::fmt::{self, Display, Formatter};
use std::fs::{self, File, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use rustix::process::{getegid, geteuid};

use crate::image::{Architecture, Image, Linkage};

/// The directories `execvp` searches when there is no PATH.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// How many interpreters of interpreters the kernel follows.
const SCRIPTS_MAX: usize = 5;

const EXECUTE_BITS: u32 = 0o111;
const SET_USER_ID: u32 = 0o4000;
const SET_GROUP_ID: u32 = 0o2000;
const GROUP_EXECUTE: u32 = 0o010;

/// Why a program cannot be run with the library.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProgramError {
    #[error("cannot find '{}' on PATH: check its spelling, or give its path", .0.display())]
    NotOnPath(OsString),
    #[error("cannot run '{}': it does not exist", .0.display())]
    Missing(PathBuf),
    #[error("cannot run '{}': {subject} {problem}", .program.display())]
    Unfit { program: PathBuf, subject: Subject, problem: Problem },
}

impl ProgramError {
    /// Whether there is no such program, as opposed to one that cannot be run.
    pub(crate) fn is_missing(&self) -> bool {
        matches!(self, Self::NotOnPath(_) | Self::Missing(_))
    }
}

/// The file that has the problem.
#[derive(Debug)]
pub(crate) enum Subject {
    Program,
    Interpreter(PathBuf),
}

impl Display for Subject {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Program => f.write_str("it"),
            Self::Interpreter(path) => write!(f, "its interpreter '{}'", path.display()),
        }
    }
}

/// What is the matter, as the end of a sentence.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Problem {
    #[error("does not exist")]
    Missing,
    #[error("is a directory")]
    Directory,
    #[error("is not a regular file")]
    NotAFile,
    #[error("is not executable: 'chmod +x' makes it so")]
    NotExecutable,
    #[error("cannot be reached: {0}")]
    Unreachable(io::Error),
    #[error("is neither an ELF program nor a script")]
    UnknownKind,
    #[error("is a damaged ELF file: {0}")]
    Damaged(object::read::Error),
    #[error("is a {found} program, and libheapsight.so is {library}: use a build for {library}")]
    Architecture { found: Architecture, library: Architecture },
    #[error("is linked to musl, and libheapsight.so needs glibc: use a build for glibc")]
    Musl,
    #[error(
        "is statically linked, so nothing can be preloaded into it: link it dynamically, or link \
         libheapsight.a into it"
    )]
    Static,
    #[error("needs the loader '{}', which does not exist", .0.display())]
    NoLoader(PathBuf),
    #[error(
        "gains rights when it starts (setuid, setgid or file capabilities), and the loader \
         preloads nothing into such a program: run a copy without them"
    )]
    Privileged,
    #[error("is a script whose interpreters are scripts themselves, too many in a row")]
    TooManyScripts,
    #[error("did not start: {0}")]
    NotStarted(io::Error),
}

/// Finds the file that `name` means, as a shell does: a path if it holds a slash, else the first
/// executable file of that name on PATH.
pub(crate) fn find(name: &OsStr) -> Result<PathBuf, ProgramError> {
    let unfit = |program: &Path, problem| ProgramError::Unfit {
        program: program.into(),
        subject: Subject::Program,
        problem,
    };
    if name.as_bytes().contains(&b'/') {
        let path = PathBuf::from(name);
        return match examine(&path) {
            Ok(_) => Ok(path),
            Err(Problem::Missing) => Err(ProgramError::Missing(path)),
            Err(problem) => Err(unfit(&path, problem)),
        };
    }
    let mut almost = None;
    for directory in env::split_paths(&env::var_os("PATH").unwrap_or(DEFAULT_PATH.into())) {
        let path = Path::new(".").join(directory).join(name);
        match examine(&path) {
            _ if name.is_empty() => break,
            Ok(_) => return Ok(path),
            Err(Problem::NotExecutable) => almost = almost.or(Some(path)),
            Err(_) => {}
        }
    }
    match almost {
        Some(path) => Err(unfit(&path, Problem::NotExecutable)),
        None => Err(ProgramError::NotOnPath(name.into())),
    }
}

/// Checks that a library of `library`'s architecture can be preloaded into the program at `path`.
pub(crate) fn check(path: &Path, library: Architecture) -> Result<(), ProgramError> {
    let mut file = path.to_path_buf();
    for depth in 0..=SCRIPTS_MAX {
        let step = check_file(&file, library);
        let problem = match step {
            Ok(None) => return Ok(()),
            Ok(Some(interpreter)) if depth < SCRIPTS_MAX => {
                file = interpreter;
                continue;
            }
            Ok(Some(_)) => Problem::TooManyScripts,
            Err(problem) => problem,
        };
        let subject = match depth {
            0 => Subject::Program,
            _ => Subject::Interpreter(file),
        };
        return Err(ProgramError::Unfit { program: path.into(), subject, problem });
    }
    Ok(())
}

/// Checks one file; hands back the file to check instead if this one is a script.
fn check_file(path: &Path, library: Architecture) -> Result<Option<PathBuf>, Problem> {
    let metadata = examine(path)?;
    let file = match File::open(path) {
        Ok(file) => file,
        // It may be run without being read; then the kernel and the loader judge it alone.
        Err(error) if error.kind() == ErrorKind::PermissionDenied => return Ok(None),
        Err(error) => return Err(Problem::Unreachable(error)),
    };
    match Image::of(&file).map_err(Problem::Unreachable)? {
        Image::Script { interpreter } => Ok(Some(interpreter)),
        Image::Unknown => Err(Problem::UnknownKind),
        Image::Elf(found) if found != library => Err(Problem::Architecture { found, library }),
        Image::Elf(_) => {
            check_loader(path, &Linkage::of(file).map_err(Problem::Damaged)?)?;
            if is_privileged(path, &metadata) { Err(Problem::Privileged) } else { Ok(None) }
        }
    }
}

fn check_loader(path: &Path, linkage: &Linkage) -> Result<(), Problem> {
    match &linkage.loader {
        Some(loader) if loader.as_os_str().as_bytes().windows(7).any(|name| name == b"ld-musl") => {
            Err(Problem::Musl)
        }
        Some(loader) if !loader.exists() => Err(Problem::NoLoader(loader.clone())),
        Some(_) => Ok(()),
        None if is_glibc_loader(path) => Ok(()),
        None => Err(Problem::Static),
    }
}

/// Whether the program is glibc's loader itself, called by hand: `ld.so PROGRAM` preloads.
fn is_glibc_loader(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().as_bytes();
    name.starts_with(b"ld-linux") || name == b"ld.so"
}

/// Checks that `path` is a file that may be executed.
fn examine(path: &Path) -> Result<Metadata, Problem> {
    let metadata = fs::metadata(path).map_err(|error| match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Problem::Missing,
        _ => Problem::Unreachable(error),
    })?;
    if metadata.is_dir() {
        Err(Problem::Directory)
    } else if !metadata.is_file() {
        Err(Problem::NotAFile)
    } else if metadata.mode() & EXECUTE_BITS == 0 {
        Err(Problem::NotExecutable)
    } else {
        Ok(metadata)
    }
}

/// Whether the kernel would start the program in secure mode, in which the loader preloads nothing.
fn is_privileged(path: &Path, metadata: &Metadata) -> bool {
    let mode = metadata.mode();
    let sets_user = mode & SET_USER_ID != 0;
    let sets_group = mode & SET_GROUP_ID != 0 && mode & GROUP_EXECUTE != 0;
    (sets_user && metadata.uid() != geteuid().as_raw())
        || (sets_group && metadata.gid() != getegid().as_raw())
        || (!geteuid().is_root() && has_capabilities(path))
}

fn has_capabilities(path: &Path) -> bool {
    let mut value = [0_u8; 64];
    rustix::fs::getxattr(path, "security.capability", &mut value[..]).is_ok_and(|len| len > 0)
}
