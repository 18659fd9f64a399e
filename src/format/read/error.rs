//! Why a file could not be read as a ledger.

use core::fmt;
use std::error::Error;
use std::io;

/// Why a file could not be read as a ledger, and what it is instead.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReadError {
    /// The file could not be opened or read.
    Io(io::Error),
    /// No regular file: a folder, a pipe, a device.
    NotAFile,
    /// A file of no bytes.
    Empty,
    /// Something else; what, as far as its first bytes tell.
    NotALedger {
        /// A noun phrase, such as "an ELF file".
        looks_like: &'static str,
    },
    /// Zeros where the header should be: the process that made the file has not written it yet, or
    /// never did.
    Unfinished,
    /// A ledger of another version.
    Version {
        /// Of the file.
        found: u32,
        /// The one that this reader knows.
        known: u32,
    },
    /// The end of the file is missing.
    Truncated {
        /// Bytes it should have.
        expected: u64,
        /// Bytes it has.
        found: u64,
    },
    /// The header contradicts itself.
    Damaged {
        /// A clause that says how.
        how: &'static str,
    },
}

impl fmt::Display for ReadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(out, "cannot be read: {error}"),
            Self::NotAFile => out.write_str("is no regular file, so it cannot be a ledger"),
            Self::Empty => out.write_str("is empty: nobody has written a ledger into it"),
            Self::NotALedger { looks_like } => write!(out, "is not a ledger but {looks_like}"),
            Self::Unfinished => {
                out.write_str("has no header yet: its process has not begun to write, or never did")
            }
            Self::Version { found, known } => {
                let age = if found > known { "newer" } else { "older" };
                write!(
                    out,
                    "is a ledger of the {age} version {found}; this reader knows version {known}"
                )
            }
            Self::Truncated { expected, found } => {
                write!(out, "is a truncated ledger: {expected} bytes are in use, {found} are there")
            }
            Self::Damaged { how } => write!(out, "is a damaged ledger: {how}"),
        }
    }
}

impl Error for ReadError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        if let Self::Io(error) = self { Some(error) } else { None }
    }
}

impl From<io::Error> for ReadError {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// What a file without the ledger's first bytes is.
pub(super) fn kind_of(first: &[u8]) -> &'static str {
    let starts: [(&[u8], &str); 7] = [
        (b"\x7fELF", "an ELF file: a program, a library or a core dump"),
        (b"\x1f\x8b", "a gzip archive"),
        (b"\x28\xb5\x2f\xfd", "a zstd archive"),
        (b"BZh", "a bzip2 archive"),
        (b"\xfd7zXZ", "an xz archive"),
        (b"PK\x03\x04", "a zip archive"),
        (b"HSLEDG", "something that starts almost like one"),
    ];
    if let Some((_, name)) = starts.iter().find(|(start, _)| first.starts_with(start)) {
        return name;
    }
    let is_text = |byte: &u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r' | 0x80..);
    match first.trim_ascii_start().first() {
        Some(b'{' | b'[') if first.iter().all(is_text) => "JSON",
        Some(b'<') if first.iter().all(is_text) => "HTML or XML",
        Some(_) if first.iter().all(is_text) => "text",
        _ => "something else",
    }
}
