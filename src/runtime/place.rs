//! Where a process's report and ledger go: never where another process's are.
//!
//! The path that was given is the first process's. Others add their id before the extension: one
//! that `heapsight run` did not start itself, a forked one, and, where nobody says which is the
//! first, one that finds the place taken.

use super::fork;
use super::options::{Config, ReportPath};
use crate::base::sync::{AtomicU32, AtomicU64, Ordering};
use crate::format::layout::{self, Header, state};
use crate::os::process;
use core::mem::offset_of;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::vec::Vec;
use std::{env, format};

/// When this process was prepared, in seconds of the wall clock.
static START: AtomicU64 = AtomicU64::new(0);
/// The process that `heapsight run` has started; zero: nobody says.
static FIRST: AtomicU32 = AtomicU32::new(0);

/// Takes in what the environment says of the first process. The constructor hands it over, because
/// libc's own functions do not see the environment yet.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(super) fn set_first_process(id: Option<&[u8]>) {
    let id = id.and_then(|digits| str::from_utf8(digits).ok()?.parse().ok());
    FIRST.store(id.unwrap_or(0), Ordering::Relaxed);
}

/// From now on, what others write has been written meanwhile.
pub(super) fn begin() {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |now| now.as_secs());
    // The first time counts; if another thread was faster, its time does.
    let _before = START.compare_exchange(0, now, Ordering::Relaxed, Ordering::Relaxed);
}

/// The configuration with paths that mean the same after the program changes its working directory.
pub(super) fn anchored(config: Config) -> Config {
    Config {
        report: anchored_path(config.report),
        suppressions: anchored_list(config.suppressions),
        ledger: anchored_path(config.ledger),
        guard_sites: anchored_path(config.guard_sites),
        ..config
    }
}

/// Each path between colons.
fn anchored_list(list: ReportPath) -> ReportPath {
    let mut anchored = Vec::new();
    for item in list.as_bytes().split(|byte| *byte == b':').filter(|item| !item.is_empty()) {
        let Ok(path) = ReportPath::new(item) else { return list };
        if !anchored.is_empty() {
            anchored.push(b':');
        }
        anchored.extend_from_slice(anchored_path(path).as_bytes());
    }
    ReportPath::new(&anchored).unwrap_or(list)
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn anchored_path(template: ReportPath) -> ReportPath {
    let path = Path::new(OsStr::from_bytes(template.as_bytes()));
    if template.is_empty() || path.is_absolute() {
        return template;
    }
    let anchored = env::current_dir()
        .ok()
        .and_then(|folder| ReportPath::new(folder.join(path).as_os_str().as_bytes()).ok());
    anchored.unwrap_or(template)
}

/// Where this process's report goes, if it goes to a file. `%p` is the process id.
pub(super) fn of_report(template: &ReportPath) -> Option<PathBuf> {
    own(template, was_written_meanwhile)
}

/// The same for its ledger.
pub(super) fn of_ledger(template: &ReportPath) -> Option<PathBuf> {
    own(template, is_being_written)
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn own(template: &ReportPath, is_taken: fn(&Path) -> bool) -> Option<PathBuf> {
    if template.is_empty() {
        return None;
    }
    let id = process::id();
    // A path that is too long with the id in it is used as it stands: who writes to it says so.
    let expanded = template.expand(id).unwrap_or(*template);
    let path = PathBuf::from(OsStr::from_bytes(expanded.as_bytes()));
    let is_first = match FIRST.load(Ordering::Relaxed) {
        0 => !fork::is_child() && !is_taken(&path),
        first => first == id,
    };
    if is_first || expanded != *template {
        return Some(path);
    }
    let mut name = path.file_stem().map_or_else(OsString::new, OsStr::to_os_string);
    name.push(format!(".{id}"));
    if let Some(extension) = path.extension() {
        name.push(".");
        name.push(extension);
    }
    Some(path.with_file_name(name))
}

fn was_written_meanwhile(path: &Path) -> bool {
    let start = START.load(Ordering::Relaxed);
    let Ok(state) = fs::metadata(path) else { return false };
    let written = state.modified().ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    start > 0 && state.len() > 0 && written.is_some_and(|written| written.as_secs() >= start)
}

/// Whether there is a ledger of a process that still runs. One of this process's id is that of a
/// program that has become this one.
fn is_being_written(path: &Path) -> bool {
    let word = |file: &File, at: usize| {
        let mut bytes = [0; 4];
        file.read_exact_at(&mut bytes, at as u64).ok().map(|()| u32::from_ne_bytes(bytes))
    };
    let writer = || {
        // Nothing but a file: to open a pipe may wait for ever.
        let file = fs::metadata(path).ok()?.is_file().then(|| File::open(path).ok())??;
        let mut magic = layout::MAGIC;
        magic.fill(0);
        file.read_exact_at(&mut magic, offset_of!(Header, magic) as u64).ok()?;
        let is_running = word(&file, offset_of!(Header, state))? == state::RUNNING;
        (magic == layout::MAGIC && is_running).then(|| word(&file, offset_of!(Header, pid)))?
    };
    writer().is_some_and(|id| id != process::id() && process::is_alive(id))
}
