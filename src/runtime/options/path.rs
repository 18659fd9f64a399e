//! The path of the report, in a buffer of its own.
//!
//! The path is read before anything can be allocated and used after everything was freed, so it
//! lives inside the configuration.
//!
//! **Invariant:** `len < CAPACITY`, no byte before `len` is zero, every byte from `len` on is.

use core::ffi::CStr;
use core::fmt::{self, Debug, Display, Formatter, Write};

use super::parse::needs_escape;
use super::values::ReportFormat;

/// Where the report goes: the path of a file, or nothing for standard error.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct ReportPath {
    bytes: [u8; ReportPath::CAPACITY],
    len: usize,
}

/// Why bytes cannot be a report path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// There are [`ReportPath::CAPACITY`] bytes or more.
    TooLong,
    /// There is a zero byte among them.
    ZeroByte,
}

impl Display for PathError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "a path has at most {} bytes", ReportPath::CAPACITY - 1),
            Self::ZeroByte => f.write_str("a path cannot contain a zero byte"),
        }
    }
}

impl core::error::Error for PathError {}

impl ReportPath {
    /// Bytes in the buffer, the closing zero included.
    pub const CAPACITY: usize = 1024;

    /// No file: the report goes to standard error.
    pub const EMPTY: Self = Self { bytes: [0; Self::CAPACITY], len: 0 };

    /// The path made of `bytes`.
    pub const fn new(bytes: &[u8]) -> Result<Self, PathError> {
        let mut path = Self::EMPTY;
        let mut index = 0;
        while index < bytes.len() {
            if let Err(error) = path.push(bytes[index]) {
                return Err(error);
            }
            index += 1;
        }
        Ok(path)
    }

    /// The path made of the bytes of `bytes`.
    pub(super) fn collect(bytes: impl Iterator<Item = u8>) -> Result<Self, PathError> {
        let mut path = Self::EMPTY;
        for byte in bytes {
            path.push(byte)?;
        }
        Ok(path)
    }

    const fn push(&mut self, byte: u8) -> Result<(), PathError> {
        if byte == 0 {
            return Err(PathError::ZeroByte);
        }
        if self.len >= Self::CAPACITY - 1 {
            return Err(PathError::TooLong);
        }
        self.bytes[self.len] = byte;
        self.len += 1;
        Ok(())
    }

    /// The bytes of the path, without the closing zero.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or_default()
    }

    /// The path as `open` wants it.
    pub fn as_c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.bytes).unwrap_or_default()
    }

    /// Whether the report goes to standard error.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// What the name says that the report is to look like.
    #[must_use]
    pub fn format(&self) -> ReportFormat {
        ReportFormat::of_name(self.as_bytes())
    }

    /// The path with every `%p` replaced by `pid`; fails if that makes it too long.
    ///
    /// ```
    /// use heapsight::options::ReportPath;
    ///
    /// let path = ReportPath::new(b"leaks-%p.json")?.expand(42)?;
    /// assert_eq!(path.as_bytes(), b"leaks-42.json");
    /// # Ok::<(), heapsight::options::PathError>(())
    /// ```
    pub fn expand(&self, pid: u32) -> Result<Self, PathError> {
        let mut expanded = Self::EMPTY;
        let mut rest = self.as_bytes();
        while let Some((&byte, tail)) = rest.split_first() {
            if let Some(tail) = rest.strip_prefix(b"%p") {
                write!(expanded, "{pid}").map_err(|_| PathError::TooLong)?;
                rest = tail;
            } else {
                expanded.push(byte)?;
                rest = tail;
            }
        }
        Ok(expanded)
    }
}

impl Write for ReportPath {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        text.bytes().try_for_each(|byte| self.push(byte)).map_err(|_| fmt::Error)
    }
}

/// Shows the path as one would write it in `HEAPSIGHT`, special bytes behind a backslash. Bytes
/// that are not UTF-8 are shown as the replacement character.
impl Display for ReportPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let mut index = 0;
        for chunk in self.as_bytes().utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_ascii() && needs_escape(letter as u8, index, self.len) {
                    f.write_char('\\')?;
                }
                f.write_char(letter)?;
                index += letter.len_utf8();
            }
            if !chunk.invalid().is_empty() {
                f.write_char(char::REPLACEMENT_CHARACTER)?;
                index += chunk.invalid().len();
            }
        }
        Ok(())
    }
}

impl Debug for ReportPath {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "ReportPath({self})")
    }
}
