//! Where `libheapsight.so` is, and whether the loader can take it.

use std::env;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::image::{Architecture, Image, Linkage};

const FILE_NAME: &str = "libheapsight.so";

/// Bytes that the loader gives a meaning of their own in `LD_PRELOAD`; it has no way to quote them.
const SPECIAL: &[u8] = b" \t\n:;$";

/// The library to preload.
#[derive(Debug)]
pub(crate) struct Library {
    /// Absolute, and fit for `LD_PRELOAD`.
    pub(crate) path: PathBuf,
    pub(crate) architecture: Architecture,
}

/// Why there is no library.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LibraryError {
    #[error(
        "cannot find libheapsight.so beside '{}' nor in ../lib: build it with 'cargo build \
         --release' in the Heapsight checkout, or name it with --library", .command.display()
    )]
    NotBuilt { command: PathBuf },
    #[error("cannot tell where this command lives: {0}: name libheapsight.so with --library")]
    NoHome(io::Error),
    #[error("cannot read the library '{}': {error}: check --library", .path.display())]
    Unreadable { path: PathBuf, error: io::Error },
    #[error("'{}' is not a shared library: --library wants a libheapsight.so", .path.display())]
    NotALibrary { path: PathBuf },
    #[error(
        "the loader cannot preload '{}': its path holds a space, a colon or a dollar sign: move \
         it, or name a copy with --library", .path.display()
    )]
    Unspeakable { path: PathBuf },
}

impl Library {
    /// The library at `given`, or else the one that was installed with this command.
    pub(crate) fn find(given: Option<&Path>) -> Result<Self, LibraryError> {
        match given {
            Some(path) => Self::open(path),
            None => Self::open(&Self::installed()?),
        }
    }

    fn installed() -> Result<PathBuf, LibraryError> {
        let command = env::current_exe().map_err(LibraryError::NoHome)?;
        let home = command.parent().unwrap_or(Path::new("/"));
        let places = [home.join(FILE_NAME), home.join("../lib").join(FILE_NAME)];
        let found = places.into_iter().find(|place| place.is_file());
        found.ok_or(LibraryError::NotBuilt { command })
    }

    fn open(path: &Path) -> Result<Self, LibraryError> {
        let unreadable = |error| LibraryError::Unreadable { path: path.into(), error };
        let path = path.canonicalize().map_err(unreadable)?;
        let file = File::open(&path).map_err(unreadable)?;
        let Ok(Image::Elf(architecture)) = Image::of(&file) else {
            return Err(LibraryError::NotALibrary { path });
        };
        if !Linkage::of(file).is_ok_and(|linkage| linkage.is_dynamic) {
            return Err(LibraryError::NotALibrary { path });
        }
        if path.as_os_str().as_bytes().iter().any(|byte| SPECIAL.contains(byte)) {
            return Err(LibraryError::Unspeakable { path });
        }
        Ok(Self { path, architecture })
    }
}
