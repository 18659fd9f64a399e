//! Where a ledger's bytes come from: memory, or a file that may be written meanwhile.

use super::ReadError;
use core::ops::Range;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::vec;
use std::vec::Vec;

/// Random access to bytes.
pub(super) trait Source {
    /// How many there are.
    fn len(&self) -> u64;

    /// Copies the bytes at `offset`, all of which exist, one time each.
    fn copy(&self, offset: u64, into: &mut [u8]) -> Result<(), ReadError>;

    /// Calls `visit` for each record of `bytes`, in order, with its index and at most `wanted`
    /// bytes of each `stride`. Reads in portions: the memory it takes has a bound.
    fn each(
        &self,
        records: &Records,
        wanted: usize,
        visit: &mut dyn FnMut(usize, &[u8]),
    ) -> Result<(), ReadError> {
        let stride = records.stride;
        let portion = (PORTION / stride).clamp(1, records.count.max(1));
        let mut buffer = vec![0; portion * stride];
        for first in (0..records.count).step_by(portion) {
            let count = portion.min(records.count - first);
            let buffer = &mut buffer[..count * stride];
            self.copy(records.offset + (first * stride) as u64, buffer)?;
            for (index, record) in buffer.chunks_exact(stride).enumerate() {
                visit(first + index, &record[..wanted.min(stride)]);
            }
        }
        Ok(())
    }
}

/// Records of a section that are complete. They lie inside the file, and `stride` is not zero.
#[derive(Clone, Copy, Debug)]
pub(super) struct Records {
    pub(super) offset: u64,
    pub(super) stride: usize,
    pub(super) count: usize,
}

impl Records {
    /// Bytes in use.
    pub(super) fn len(&self) -> u64 {
        self.stride as u64 * self.count as u64
    }
}

/// Bytes that are read at once.
const PORTION: usize = 1 << 20;

impl Source for [u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn copy(&self, offset: u64, into: &mut [u8]) -> Result<(), ReadError> {
        let from = usize::try_from(offset).ok().and_then(|offset| {
            let range: Range<usize> = offset..offset.checked_add(into.len())?;
            self.get(range)
        });
        let truncated = || ReadError::Truncated {
            expected: offset.saturating_add(into.len() as u64),
            found: Source::len(self),
        };
        let from = from.ok_or_else(truncated)?;
        into.copy_from_slice(from);
        Ok(())
    }
}

/// A regular file.
#[derive(Debug)]
pub(super) struct FileSource {
    pub(super) file: File,
    pub(super) len: u64,
}

impl Source for FileSource {
    fn len(&self) -> u64 {
        self.len
    }

    fn copy(&self, offset: u64, into: &mut [u8]) -> Result<(), ReadError> {
        self.file.read_exact_at(into, offset).map_err(|error| match error.kind() {
            // Somebody has made it shorter meanwhile.
            io::ErrorKind::UnexpectedEof => ReadError::Truncated {
                expected: offset.saturating_add(into.len() as u64),
                found: self.file.metadata().map_or(0, |metadata| metadata.len()),
            },
            _ => ReadError::Io(error),
        })
    }
}

/// All records of a section as bytes: for texts.
pub(super) fn all(
    source: &(impl Source + ?Sized),
    records: &Records,
) -> Result<Vec<u8>, ReadError> {
    let mut bytes = vec![0; records.stride * records.count];
    source.copy(records.offset, &mut bytes)?;
    Ok(bytes)
}
