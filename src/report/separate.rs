//! Debug information that lies beside its object: where distributions put it.
//!
//! By the object's build id under `/usr/lib/debug/.build-id`, or by the name in its debug link; a
//! file of the right name that belongs to another build is passed over. What several such files
//! have in common may lie in one more (`dwz`).

use super::image::Image;
use object::read::Object;
use std::ffi::OsStr;
use std::format;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::string::String;

const DEBUG_ROOT: &str = "/usr/lib/debug";

/// The separate file of the object at `path`, which is `image` if it can still be read.
pub(super) fn debug_file(
    path: &Path,
    image: Option<&Image>,
    build_id: Option<&[u8]>,
) -> Option<PathBuf> {
    let build_id = build_id.or_else(|| image?.build_id());
    build_id.and_then(by_build_id).or_else(|| by_link(path, image?))
}

/// The file with what the debug information at `path` has in common with that of other objects.
pub(super) fn shared_file(path: &Path, image: &Image) -> Option<PathBuf> {
    let object = image.object()?;
    let (name, id) = object.gnu_debugaltlink().ok().flatten()?;
    let named = path.parent()?.join(OsStr::from_bytes(name));
    if is_build(&named, id) { Some(named) } else { by_build_id(id) }
}

fn by_build_id(id: &[u8]) -> Option<PathBuf> {
    let (first, rest) = id.split_first()?;
    let rest: String = rest.iter().map(|byte| format!("{byte:02x}")).collect();
    let path = PathBuf::from(format!("{DEBUG_ROOT}/.build-id/{first:02x}/{rest}.debug"));
    path.is_file().then_some(path)
}

/// The folders are those that gdb looks in.
fn by_link(path: &Path, image: &Image) -> Option<PathBuf> {
    let object = image.object()?;
    let (name, checksum) = object.gnu_debuglink().ok().flatten()?;
    let name = OsStr::from_bytes(name);
    let folder = path.parent()?;
    let global = Path::new(DEBUG_ROOT).join(folder.strip_prefix("/").unwrap_or(folder));
    [folder.to_path_buf(), folder.join(".debug"), global]
        .into_iter()
        .map(|folder| folder.join(name))
        .filter(|candidate| candidate != path)
        .find(|candidate| match image.build_id() {
            Some(id) => is_build(candidate, id),
            None => is_unchanged(candidate, checksum),
        })
}

fn is_build(path: &Path, id: &[u8]) -> bool {
    Image::open(path).is_some_and(|image| image.build_id() == Some(id))
}

fn is_unchanged(path: &Path, checksum: u32) -> bool {
    Image::open(path).is_some_and(|image| crc32(image.bytes()) == checksum)
}

/// The checksum of a debug link: CRC-32 as in zip files.
fn crc32(bytes: &[u8]) -> u32 {
    const REVERSED_POLYNOMIAL: u32 = 0xedb8_8320;
    let step = |crc: u32, _| if crc & 1 == 1 { (crc >> 1) ^ REVERSED_POLYNOMIAL } else { crc >> 1 };
    let mut table = [0u32; 256];
    for (byte, entry) in (0u32..).zip(&mut table) {
        *entry = (0..8).fold(byte, step);
    }
    !bytes.iter().fold(!0u32, |crc, byte| {
        let [low, ..] = crc.to_le_bytes();
        (crc >> 8) ^ table[usize::from(low ^ byte)]
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_of_zip_files() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b""), 0);
    }
}
