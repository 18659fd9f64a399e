//! An object file on disk, mapped for reading.
//!
//! A symbol table has tens of thousands of names, of which a report needs a few: mapped, they cost
//! nothing until they are looked at. A file that is no regular one, cannot be read or is no object
//! is no image; whoever asked goes on without it.

use object::read::{CompressionFormat, File, Object, ObjectSection, ObjectSegment};
use std::fs;
use std::os::fd::AsRawFd;
use std::path::Path;
use std::{ptr, slice};

/// The mapped file. Its bytes parse as an object.
#[derive(Debug)]
pub(super) struct Image {
    start: *const u8,
    len: usize,
}

/// Deflate makes no more than so many bytes of one.
const UNPACKED_RATIO_MAX: u64 = 1032;

impl Image {
    /// Maps the file; relative paths are refused, as the program may have changed its directory.
    pub(super) fn open(path: &Path) -> Option<Self> {
        if !path.is_absolute() || !fs::metadata(path).ok()?.is_file() {
            return None;
        }
        let file = fs::File::open(path).ok()?;
        let len = usize::try_from(file.metadata().ok()?.len()).ok().filter(|len| *len > 0)?;
        // SAFETY: a new private mapping touches no memory that is in use.
        let start = unsafe {
            libc::mmap(
                ptr::null_mut(),
                len,
                libc::PROT_READ,
                libc::MAP_PRIVATE,
                file.as_raw_fd(),
                0,
            )
        };
        if start == libc::MAP_FAILED {
            return None;
        }
        let image = Self { start: start.cast_const().cast(), len };
        let is_object = image.object().is_some();
        is_object.then_some(image)
    }

    /// The parsed headers. Cheap: the rest is parsed when asked for.
    pub(super) fn object(&self) -> Option<File<'_>> {
        File::parse(self.bytes()).ok()
    }

    /// The bytes that the loader puts at `address`, before it adds its bias.
    pub(super) fn at(&self, address: u64, len: u64) -> Option<&[u8]> {
        let object = self.object()?;
        let segment = object.segments().find(|segment| {
            address.checked_sub(segment.address()).is_some_and(|offset| offset < segment.size())
        })?;
        let (file_start, file_len) = segment.file_range();
        let offset = address - segment.address();
        if offset.checked_add(len)? > file_len {
            return None;
        }
        let start = usize::try_from(file_start.checked_add(offset)?).ok()?;
        self.bytes().get(start..start.checked_add(usize::try_from(len).ok()?)?)
    }

    /// The identity that the linker gave the object.
    pub(super) fn build_id(&self) -> Option<&[u8]> {
        self.object()?.build_id().ok().flatten()
    }

    /// Whether its sections can be as large as they say when they are unpacked. A damaged size
    /// would be reserved in full before the first byte shows that it is wrong.
    pub(super) fn is_plausible(&self) -> bool {
        let Some(object) = self.object() else { return false };
        object.sections().all(|section| {
            section.compressed_data().is_ok_and(|packed| {
                let max = (packed.data.len() as u64).saturating_mul(UNPACKED_RATIO_MAX);
                packed.format == CompressionFormat::None || packed.uncompressed_size <= max
            })
        })
    }

    pub(super) fn bytes(&self) -> &[u8] {
        // SAFETY: `start` and `len` are a mapping that lives as long as `self`. That nobody
        // shortens the file meanwhile is assumed of every object file in use, here as by the
        // loader.
        unsafe { slice::from_raw_parts(self.start, self.len) }
    }
}

impl Drop for Image {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and the borrows of its bytes have ended.
        unsafe { libc::munmap(self.start.cast_mut().cast(), self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_object_files_are_images() {
        let own = Image::open(&std::env::current_exe().expect("a path")).expect("an object");
        let (address, code) = {
            let object = own.object().expect("an object");
            let segment = object.segments().nth(1).expect("code");
            (segment.address(), own.at(segment.address(), 4).map(<[u8]>::to_vec))
        };
        assert_eq!(code.map(|code| code.len()), Some(4));
        assert_eq!(own.at(address, u64::MAX), None);
        assert_eq!(own.at(u64::MAX, 4), None);
        assert!(Image::open(Path::new("/proc/self/status")).is_none());
        assert!(Image::open(Path::new("/dev/zero")).is_none());
        assert!(Image::open(Path::new("/nonexistent")).is_none());
        assert!(Image::open(Path::new("Cargo.toml")).is_none());
    }
}
