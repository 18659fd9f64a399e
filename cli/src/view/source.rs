//! Which ledger is meant: a file, or that of a running process.
//!
//! A process maps the ledger it writes. So its memory map names it, whatever the file is called and
//! wherever it lies; what it starts with says which of the mapped files it is.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use heapsight::ledger::{self, ReadError, Snapshot, State};

/// First bytes of every ledger.
const MAGIC: &[u8; 8] = b"HSLEDGER";

/// A ledger, found.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    pub(crate) path: PathBuf,
}

/// A ledger, read.
#[derive(Clone, Debug)]
pub(crate) struct Ledger {
    pub(crate) path: PathBuf,
    pub(crate) snapshot: Snapshot,
    /// The process that writes it still runs.
    pub(crate) is_alive: bool,
}

/// Why there is nothing to look at.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SourceError {
    #[error("there is no file '{}': give the path of a ledger, or a process id", .0.display())]
    NoFile(PathBuf),
    #[error("'{}' {error}", .path.display())]
    Unreadable { path: PathBuf, error: ReadError },
    #[error("there is no process {0}: if it has ended, give the path of its ledger")]
    NoProcess(u32),
    #[error("process {0} belongs to another user: run this command as that user, or as root")]
    Forbidden(u32),
    #[error(
        "process {0} does not run on Heapsight: start it with 'heapsight run --ledger FILE -- \
         PROGRAM'"
    )]
    Untracked(u32),
    #[error(
        "process {0} runs on Heapsight but writes no ledger: start it with 'heapsight run --ledger \
         FILE -- PROGRAM'"
    )]
    NoLedger(u32),
}

impl Source {
    /// Finds the ledger that `target`, a path or a process id, stands for.
    pub(crate) fn find(target: &Path) -> Result<Self, SourceError> {
        let path = target.to_path_buf();
        match target.to_str().and_then(|text| text.parse::<u32>().ok()) {
            // A file may be named like a process.
            Some(pid) if !target.exists() => of_process(pid).map(|path| Self { path }),
            _ if !target.exists() => Err(SourceError::NoFile(path)),
            _ => Ok(Self { path }),
        }
    }

    /// Reads it as it is now.
    pub(crate) fn read(&self) -> Result<Ledger, SourceError> {
        let path = self.path.clone();
        let snapshot = ledger::read(&path)
            .map_err(|error| SourceError::Unreadable { path: path.clone(), error })?;
        Ok(Ledger::new(path, snapshot))
    }
}

impl Ledger {
    pub(crate) fn new(path: PathBuf, snapshot: Snapshot) -> Self {
        let pid = snapshot.process.pid;
        let is_alive = snapshot.process.state == State::Running
            && of_process(pid).is_ok_and(|own| is_same_file(&own, &path));
        Self { path, snapshot, is_alive }
    }
}

fn is_same_file(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |path| fs::metadata(path).map(|data| (data.dev(), data.ino())).ok();
    identity(one).is_some_and(|one| identity(other) == Some(one))
}

/// The ledger that a process has mapped.
fn of_process(pid: u32) -> Result<PathBuf, SourceError> {
    let folder = PathBuf::from(format!("/proc/{pid}"));
    let maps = fs::read_to_string(folder.join("maps")).map_err(|error| match error.kind() {
        ErrorKind::PermissionDenied => SourceError::Forbidden(pid),
        _ => SourceError::NoProcess(pid),
    })?;
    let mut seen = BTreeSet::new();
    for Mapping { range, path } in shared_files(&maps) {
        if !seen.insert(path) {
            continue;
        }
        // The process may see other files than we do, and a file may have no name any more.
        let here = PathBuf::from(path);
        let there = folder.join("root").join(path.trim_start_matches('/'));
        let nameless = folder.join("map_files").join(range);
        if let Some(path) = [here, there, nameless].into_iter().find(|path| is_ledger(path)) {
            return Ok(path);
        }
    }
    let is_ours = maps.lines().any(|line| line.contains("/libheapsight"));
    Err(if is_ours { SourceError::NoLedger(pid) } else { SourceError::Untracked(pid) })
}

struct Mapping<'a> {
    range: &'a str,
    path: &'a str,
}

/// The files that a process shares what it writes with.
fn shared_files(maps: &str) -> impl Iterator<Item = Mapping<'_>> {
    maps.lines().filter_map(|line| {
        let mut words = line.splitn(6, ' ');
        let (range, rights) = (words.next()?, words.next()?);
        let path = words.nth(3)?.trim_start();
        let is_shared = rights.ends_with('s') && path.starts_with('/');
        is_shared.then_some(Mapping { range, path })
    })
}

fn is_ledger(path: &Path) -> bool {
    let mut head = [0; MAGIC.len()];
    // To open a device may do something.
    fs::metadata(path).is_ok_and(|data| data.is_file())
        && File::open(path).and_then(|mut file| file.read_exact(&mut head)).is_ok()
        && head == *MAGIC
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shared_mapping_names_its_file() {
        let maps = "1000-2000 r--p 00000000 fe:00 7                          /lib/a b.so\n\
                    2000-3000 rw-s 00000000 fe:00 8                          /tmp/my ledger\n\
                    3000-4000 rw-s 00000000 00:01 9 /memfd:x (deleted)\n\
                    4000-5000 rw-p 0 00:00 0 \n";
        let found: Vec<_> = shared_files(maps).map(|it| (it.range, it.path)).collect();
        assert_eq!(found, [("2000-3000", "/tmp/my ledger"), ("3000-4000", "/memfd:x (deleted)")]);
    }

    #[test]
    fn a_missing_process_and_an_untracked_one_are_told_apart() {
        assert!(matches!(of_process(u32::MAX), Err(SourceError::NoProcess(_))));
        assert!(matches!(
            of_process(std::os::unix::process::parent_id()),
            Err(SourceError::Untracked(_))
        ));
        let missing = Source::find(Path::new("/no/such"));
        assert!(matches!(missing, Err(SourceError::NoFile(_))));
    }

    #[test]
    fn a_mapped_ledger_is_found_by_its_first_bytes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("some name");
        fs::write(&path, [&MAGIC[..], &[0; 4096]].concat()).expect("written");
        let file = File::options().read(true).write(true).open(&path).expect("opened");
        let _mapping = Mapped::of(&file);
        let found = of_process(std::process::id()).expect("a ledger");
        assert!(is_same_file(&found, &path), "{found:?}");
    }

    struct Mapped(*mut std::ffi::c_void);

    impl Mapped {
        fn of(file: &File) -> Self {
            use rustix::mm::{MapFlags, ProtFlags, mmap};
            // SAFETY: a new mapping touches no memory that is in use.
            let address = unsafe {
                let rights = ProtFlags::READ | ProtFlags::WRITE;
                mmap(std::ptr::null_mut(), 4096, rights, MapFlags::SHARED, file, 0)
            };
            Self(address.expect("mapped"))
        }
    }

    impl Drop for Mapped {
        fn drop(&mut self) {
            // SAFETY: the mapping is ours, and nothing refers to it.
            unsafe { rustix::mm::munmap(self.0, 4096) }.expect("unmapped");
        }
    }
}
