//! The file of guarded sites (`guard_sites`): where something was found, for later runs to look at.
//!
//! The file is read once, before the program runs. A finding adds its call site, at once and by one
//! write, as the process may be about to end; in this run, too, the site has guards from then on.
//! A file that does not begin as one of ours is somebody else's: it is not read and not written.

use super::finding::{Fault, Finding, Victim};
use super::report::say;
use super::stacks::{Owner, owner};
use crate::base::sync::{AtomicU8, AtomicU32, Ordering};
use crate::base::text::Text;
use crate::format::sites::{self, GuardSite};
use crate::heap::locate::{Misuse, MisuseKind};
use crate::os::{lock::Lock, process};
use crate::runtime::ENGINE;
use crate::runtime::options::ReportPath;
use crate::track::SiteId;
use core::cell::UnsafeCell;
use core::ffi::CStr;
use core::fmt::Write;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::vec::Vec;

/// Bytes of the file that are read, at most.
const LEN_MAX: u64 = 1 << 20;
/// Sites that a process adds, at most.
const ADDED_MAX: u32 = 64;

static STATE: AtomicU8 = AtomicU8::new(CLOSED);
/// There is no file, or it is not ours.
const CLOSED: u8 = 0;
/// The file can be added to.
const OPEN: u8 = 1;
/// The same, and its last line has no end.
const TORN: u8 = 2;

static ADDED: AtomicU32 = AtomicU32::new(0);
static PLACE: Place = Place { lock: Lock::new(), path: UnsafeCell::new([0; PATH_MAX]) };

const PATH_MAX: usize = 4096;

/// The file's path, as a C string.
struct Place {
    lock: Lock,
    path: UnsafeCell<[u8; PATH_MAX]>,
}

// SAFETY: the path is reached only under the lock.
unsafe impl Sync for Place {}

/// Reads the file, and adds to it what is found from now on. An empty path means none.
pub(super) fn follow(path: &ReportPath) {
    STATE.store(CLOSED, Ordering::Relaxed);
    if path.is_empty() || !is_kept(path.as_bytes()) {
        return;
    }
    let state = match read(Path::new(OsStr::from_bytes(path.as_bytes()))) {
        Ok(text) => take_in(path, &text),
        Err(error) if error.kind() == ErrorKind::NotFound => OPEN,
        Err(error) => {
            refuse(path, format_args!("{error}: it is left as it is, and guards nothing"));
            CLOSED
        }
    };
    STATE.store(state, Ordering::Relaxed);
}

/// Keeps the path where a signal handler finds it; whether there was room.
fn is_kept(bytes: &[u8]) -> bool {
    let Some(_lock) = PLACE.lock.acquire() else { return false };
    // SAFETY: the lock is held.
    let path = unsafe { &mut *PLACE.path.get() };
    path.fill(0);
    let has_room = bytes.len() < PATH_MAX;
    if has_room {
        path[..bytes.len()].copy_from_slice(bytes);
    }
    has_room
}

fn read(path: &Path) -> io::Result<Vec<u8>> {
    // To open a pipe may wait for ever.
    if !fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = Vec::new();
    File::open(path)?.take(LEN_MAX).read_to_end(&mut text)?;
    Ok(text)
}

/// Lists the sites of the file; the state that it is in.
fn take_in(path: &ReportPath, text: &[u8]) -> u8 {
    let result = sites::read(text, |site| {
        let _is_new = list(site);
    });
    match result {
        Ok(()) => {}
        Err(sites::Fault::NoSites) => {
            refuse(
                path,
                format_args!("it is no file of guarded sites: left as it is, and guards nothing"),
            );
            return CLOSED;
        }
        Err(sites::Fault::Lines { count, first }) => refuse(
            path,
            format_args!("{count} lines that are no site, the first is line {first}: (ignored)"),
        ),
    }
    if text.last().is_none_or(|last| *last == b'\n') { OPEN } else { TORN }
}

/// Whether something is new about it: the site, or that blocks of this size concern us.
fn list(site: GuardSite) -> bool {
    let is_size_new = ENGINE.look_at(site.size);
    ENGINE.observer.guards.listed.add(site.key) || is_size_new
}

fn refuse(path: &ReportPath, reason: core::fmt::Arguments<'_>) {
    let mut line = Text::<1024>::new();
    let path = path.as_bytes().utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let _cut = writeln!(line, "heapsight: guard_sites: '{path}': {reason}.");
    say(line.as_bytes());
}

/// Lists the site of the block that a mistake was made with. `sentence` is the report's.
pub(super) fn remember(finding: &Finding, sentence: &[u8]) {
    let state = STATE.load(Ordering::Relaxed);
    if state == CLOSED || !is_by_block(finding) {
        return;
    }
    let site = match owner(finding) {
        Owner::Living(block) => Some((block.site, block.size)),
        Owner::Dead(grave) => SiteId::from_number(grave.allocated).map(|site| (site, grave.size)),
        Owner::Unknown => None,
    };
    let keyed = site.and_then(|(site, size)| Some((ENGINE.observer.site_key(site)?, size)));
    let Some((key, size)) = keyed else { return };
    let site = GuardSite { key, size };
    if !list(site) || ADDED.fetch_add(1, Ordering::Relaxed) >= ADDED_MAX {
        return;
    }
    let mut line = Text::<768>::new();
    line.push_bytes(if state == TORN { b"\n" } else { b"" });
    let remark = sentence.trim_ascii_end();
    let remark = remark.strip_prefix(b"heapsight: ").unwrap_or(remark);
    let remark = remark.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let _cut = sites::write(site, remark, &mut line);
    line.push_end();
    STATE.store(OPEN, Ordering::Relaxed);
    match append(line.as_bytes()) {
        Ok(()) => say(b"  The block's call site is noted in guard_sites: with safety=sampled its \
            blocks have guards in later runs.\n"),
        Err(()) => say(b"heapsight: guard_sites: the file cannot be written.\n"),
    }
}

/// Whether what went wrong is what guards are there for.
const fn is_by_block(finding: &Finding) -> bool {
    match finding {
        Finding::Overflow { .. }
        | Finding::Underflow { .. }
        | Finding::Buried { .. }
        | Finding::Copy { .. } => true,
        Finding::Bad { misuse: Misuse { kind, .. }, .. } => matches!(kind, MisuseKind::DoubleFree),
        Finding::Fault(Fault { victim, .. }) => {
            matches!(victim, Victim::Guard(_) | Victim::Freed(_))
        }
        Finding::Size { .. }
        | Finding::Family { .. }
        | Finding::FreeList { .. }
        | Finding::Overlap { .. } => false,
    }
}

fn append(line: &[u8]) -> Result<(), ()> {
    let _lock = PLACE.lock.acquire().ok_or(())?;
    // SAFETY: the lock is held.
    let path = CStr::from_bytes_until_nul(unsafe { &*PLACE.path.get() }).map_err(|_| ())?;
    let mut title = Text::<64>::new();
    title.push_bytes(sites::TITLE);
    title.push_bytes(b"\n");
    if process::append(path, title.as_bytes(), line) { Ok(()) } else { Err(()) }
}

/// In the child of a fork.
pub(super) fn forked() {
    if PLACE.lock.is_anothers() {
        PLACE.lock.forget();
    }
}
