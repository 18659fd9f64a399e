//! Asking a running process, through its ledger, what it has leaked.
//!
//! The request is a few words of the header. The process looks at them on its cold paths, and when
//! it gets the signal that the header names: so one that sleeps can be asked, too. It stands still
//! for as long as it takes to copy itself; the copy looks, writes its report beside the ledger, and
//! says in the header that it has.
//!
//! Who asks has the ledger's file locked meanwhile, so that two who ask at once take turns.

use super::layout::{Check, Header, outcome};
use super::read::{self, ReadError};
use core::mem::offset_of;
use std::ffi::OsString;
use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// What the name of a report has behind that of the ledger.
pub(crate) const REPORT: &str = ".leaks.json";

/// A leak check that was asked for. Dropping it lets others ask; what the process does, it does.
#[derive(Debug)]
pub struct LeakCheck {
    /// Locked.
    file: File,
    number: u32,
    report: PathBuf,
}

/// How far a check is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The process has not noticed yet.
    Asked,
    /// It looks.
    Looking,
    /// The report can be read.
    Reported {
        /// Nanoseconds for which the program stood still.
        pause_ns: u64,
    },
    /// There is none.
    Failed(Why),
}

/// Why there is no report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Why {
    /// The system did not let the process be copied, with this error.
    Refused(i32),
    /// There was not enough memory.
    NoMemory,
    /// The report could not be written, with this error, or zero.
    Unwritten(i32),
    /// The copy that was looking came to a bad end, with this status.
    Died(i32),
    /// It is not known here: the process runs on another version.
    Unknown(u32),
}

impl LeakCheck {
    /// Asks the process that writes the ledger at `path`; about a block, too, if `address` is not
    /// zero. `None`: somebody else is asking just now.
    ///
    /// # Errors
    ///
    /// The file cannot be written, or is no ledger of this version. Nothing has been changed then.
    pub fn ask(path: &Path, address: u64) -> Result<Option<Self>, ReadError> {
        let file = read::checked(OpenOptions::new().read(true).write(true).open(path)?)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(None),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut check = Self { file, number: 0, report: report_beside(path) };
        check.number = check.word(offset_of!(Check, asked))?.wrapping_add(1);
        check.put(&address.to_le_bytes(), offset_of!(Check, address))?;
        // Last: this is what the process looks at.
        check.put(&check.number.to_le_bytes(), offset_of!(Check, asked))?;
        Ok(Some(check))
    }

    /// The number of the signal that makes a sleeping process look; `None`: it has none to spare.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub fn signal(&self) -> io::Result<Option<i32>> {
        let signal = self.word(offset_of!(Check, signal))?;
        Ok(i32::try_from(signal).ok().filter(|signal| *signal > 0))
    }

    /// How far the check is.
    ///
    /// # Errors
    ///
    /// The ledger cannot be read.
    pub fn progress(&self) -> io::Result<Progress> {
        if self.word(offset_of!(Check, ended))? != self.number {
            let is_taken = self.word(offset_of!(Check, taken))? == self.number;
            return Ok(if is_taken { Progress::Looking } else { Progress::Asked });
        }
        let detail = self.word(offset_of!(Check, detail))?.cast_signed();
        Ok(match self.word(offset_of!(Check, outcome))? {
            outcome::REPORTED => {
                let mut pause = [0; 8];
                self.get(&mut pause, offset_of!(Check, pause_ns))?;
                Progress::Reported { pause_ns: u64::from_le_bytes(pause) }
            }
            outcome::REFUSED => Progress::Failed(Why::Refused(detail)),
            outcome::NO_MEMORY => Progress::Failed(Why::NoMemory),
            outcome::UNWRITTEN => Progress::Failed(Why::Unwritten(detail)),
            outcome::DIED => Progress::Failed(Why::Died(detail)),
            other => Progress::Failed(Why::Unknown(other)),
        })
    }

    /// Where the report is, once there is one: beside the ledger.
    #[must_use]
    pub fn report(&self) -> &Path {
        &self.report
    }

    fn word(&self, at: usize) -> io::Result<u32> {
        let mut bytes = [0; 4];
        self.get(&mut bytes, at)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn get(&self, bytes: &mut [u8], at: usize) -> io::Result<()> {
        self.file.read_exact_at(bytes, (offset_of!(Header, check) + at) as u64)
    }

    fn put(&self, bytes: &[u8], at: usize) -> io::Result<()> {
        self.file.write_all_at(bytes, (offset_of!(Header, check) + at) as u64)
    }
}

fn report_beside(ledger: &Path) -> PathBuf {
    let mut name = OsString::from(ledger);
    name.push(REPORT);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::Ledger;
    use std::{env, format, fs, process};

    #[test]
    fn one_at_a_time_asks_and_hears_how_far_it_is() {
        let path = env::temp_dir().join(format!("heapsight-{}-check", process::id()));
        fs::write(&path, Ledger::new().bytes()).expect("a file");
        let check = LeakCheck::ask(&path, 77).expect("a ledger").expect("nobody else");
        assert!(LeakCheck::ask(&path, 0).expect("a ledger").is_none(), "taking turns");
        assert_eq!(check.number, 1);
        assert_eq!(check.signal().expect("read"), None);
        assert!(check.report().to_string_lossy().ends_with("-check.leaks.json"));
        let say = |number: u32, at| check.put(&number.to_le_bytes(), at).expect("written");
        let progress = || check.progress().expect("read");
        assert_eq!(progress(), Progress::Asked);
        say(1, offset_of!(Check, taken));
        assert_eq!(progress(), Progress::Looking);
        say(1, offset_of!(Check, ended));
        for (number, expected) in [
            (outcome::REPORTED, Progress::Reported { pause_ns: 0 }),
            (outcome::REFUSED, Progress::Failed(Why::Refused(0))),
            (outcome::NO_MEMORY, Progress::Failed(Why::NoMemory)),
            (outcome::UNWRITTEN, Progress::Failed(Why::Unwritten(0))),
            (outcome::DIED, Progress::Failed(Why::Died(0))),
            (99, Progress::Failed(Why::Unknown(99))),
        ] {
            say(number, offset_of!(Check, outcome));
            assert_eq!(progress(), expected);
        }
        drop(check);
        let again = LeakCheck::ask(&path, 0).expect("a ledger").expect("nobody else");
        assert_eq!((again.number, again.progress().expect("read")), (2, Progress::Asked));
        fs::remove_file(&path).expect("the file");
    }
}
