//! Asking a running process, through its ledger, to record something else.
//!
//! The wish is two words of the header. The process looks at them on its cold paths, so it follows
//! with the next few blocks that it allocates; one that sleeps follows when it wakes.

use super::layout::{Header, mode};
use super::read::{self, ReadError};
use super::snapshot::Mode;
use core::mem::offset_of;
use std::fs::OpenOptions;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// Asks the process that writes the ledger at `path` to go over to `mode`. Whether and when it did
/// is to be seen in the ledger: [`super::snapshot::Tracking::mode`].
///
/// # Errors
///
/// The file cannot be written, or is no ledger of this version. Nothing has been changed then.
pub fn request(path: &Path, mode: Mode) -> Result<(), ReadError> {
    let file = read::checked(OpenOptions::new().read(true).write(true).open(path)?)?;
    let (number, bytes) = match mode {
        Mode::Off => (mode::OFF, 0),
        Mode::Stats => (mode::STATS, 0),
        Mode::Sample { bytes } => (mode::SAMPLE, bytes),
        Mode::Full => (mode::FULL, 0),
    };
    let put = |bytes: &[u8], at: usize| file.write_all_at(bytes, at as u64);
    put(&bytes.to_le_bytes(), offset_of!(Header, wanted_sample_bytes))?;
    // Last: this is what the process looks at.
    put(&(number + 1).to_le_bytes(), offset_of!(Header, wanted))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::Ledger;
    use std::{env, format, fs, process};

    #[test]
    fn a_wish_is_written_into_a_ledger_and_nothing_else() {
        let path = env::temp_dir().join(format!("heapsight-{}-wish", process::id()));
        fs::write(&path, b"a text, not a ledger").expect("a file");
        assert!(matches!(request(&path, Mode::Full), Err(ReadError::NotALedger { .. })));
        assert_eq!(fs::read(&path).expect("a file"), b"a text, not a ledger");

        fs::write(&path, Ledger::new().bytes()).expect("a file");
        request(&path, Mode::Sample { bytes: 4096 }).expect("a ledger");
        let bytes = fs::read(&path).expect("a file");
        assert_eq!(bytes[offset_of!(Header, wanted)..][..4], 3u32.to_le_bytes());
        assert_eq!(bytes[offset_of!(Header, wanted_sample_bytes)..][..8], 4096u64.to_le_bytes());
        fs::remove_file(&path).expect("the file");
    }
}
