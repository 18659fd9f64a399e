//! The ledger's file: made when tracking begins, and again in a forked child.
//!
//! A file gets its name when it is a ledger, by renaming: another process may be writing the one
//! that had the name before, and cutting a mapped file short kills whoever touches it. All here is
//! safe in the child of a threaded program: system calls, and a path in a buffer.

use super::ENGINE;
use super::options::{Config, ReportPath};
use crate::base::sync::{AtomicBool, AtomicU32, Ordering};
use crate::base::text::Text;
use crate::format::layout::state;
use crate::os::process;
use crate::track::ledger::Pages;
use core::cell::UnsafeCell;
use core::ffi::{CStr, c_int};
use core::fmt::Write;

/// Where a forked child's ledger is to be, and how long.
static TEMPLATE: Template = Template {
    is_set: AtomicBool::new(false),
    path: UnsafeCell::new(ReportPath::EMPTY),
    first: AtomicU32::new(0),
    first_path: UnsafeCell::new(ReportPath::EMPTY),
    mebibytes: AtomicU32::new(0),
};

struct Template {
    is_set: AtomicBool,
    path: UnsafeCell<ReportPath>,
    /// The process that has set it, and where its own ledger is.
    first: AtomicU32,
    first_path: UnsafeCell<ReportPath>,
    mebibytes: AtomicU32,
}

// SAFETY: the paths are written once, before `is_set` says so.
unsafe impl Sync for Template {}

const STDERR: c_int = 2;
const MIB: usize = 1 << 20;

/// Opens the ledger that a configuration asks for, unless there is one. `own_path` is the place of
/// this very process's.
pub(super) fn open(config: &Config, own_path: Option<&CStr>) {
    if ENGINE.observer.ledger.header().is_some() {
        return;
    }
    let len = config.ledger_size_mib as usize * MIB;
    let pages = own_path.and_then(|path| create_or_complain(path, len));
    if pages.is_some() && !TEMPLATE.is_set.load(Ordering::Relaxed) {
        // SAFETY: nobody reads before `is_set`, and only one thread configures at a time.
        unsafe {
            *TEMPLATE.path.get() = config.ledger;
            let own = own_path.and_then(|path| ReportPath::new(path.to_bytes()).ok());
            *TEMPLATE.first_path.get() = own.unwrap_or(ReportPath::EMPTY);
        }
        TEMPLATE.first.store(process::id(), Ordering::Relaxed);
        TEMPLATE.mebibytes.store(config.ledger_size_mib, Ordering::Relaxed);
        TEMPLATE.is_set.store(true, Ordering::Release);
    }
    match pages {
        Some(pages) => ENGINE.observer.open_ledger_in(pages),
        None => ENGINE.observer.open_ledger(len),
    }
    introduce();
}

/// In a forked child: pages for its own ledger; `None`: private ones.
pub(super) fn for_child() -> Option<Pages> {
    let path = path_of_child()?;
    let len = TEMPLATE.mebibytes.load(Ordering::Relaxed) as usize * MIB;
    create_or_complain(path.as_c_str(), len)
}

/// In a forked child: its ledger's file has no room for what it has inherited, and goes again.
pub(super) fn withdraw_childs() {
    let Some(path) = path_of_child() else { return };
    complain(path.as_c_str(), libc::ENOSPC);
    // SAFETY: a C string.
    unsafe { libc::unlink(path.as_c_str().as_ptr()) };
}

/// Where this process's ledger is, which is process `id`, if it has one that lies in a file. In a
/// copy of the process, whose id is another, too.
pub(super) fn path(id: u32) -> Option<ReportPath> {
    if !ENGINE.observer.ledger.is_file() || !TEMPLATE.is_set.load(Ordering::Acquire) {
        return None;
    }
    // SAFETY: set, and never changed since.
    let (template, first) = unsafe { (&*TEMPLATE.path.get(), &*TEMPLATE.first_path.get()) };
    if TEMPLATE.first.load(Ordering::Relaxed) == id { Some(*first) } else { path_of(template, id) }
}

/// Where the ledger of a forked child goes, if it has one.
fn path_of_child() -> Option<ReportPath> {
    if !TEMPLATE.is_set.load(Ordering::Acquire) {
        return None;
    }
    // SAFETY: set, and never changed since.
    let template = unsafe { &*TEMPLATE.path.get() };
    path_of(template, process::id())
}

fn create_or_complain(path: &CStr, len: usize) -> Option<Pages> {
    create(path, len).map_err(|code| complain(path, code)).ok()
}

/// Says who this is. The ledger is open.
fn introduce() {
    let ledger = &ENGINE.observer.ledger;
    let Some(header) = ledger.header() else { return };
    let Some(_lock) = ledger.lock().acquire() else { return };
    header.pid.store(process::id(), Ordering::Relaxed);
    let mut buffer = [0; 4096];
    ledger.keep(process::program(&mut buffer), &header.program);
    ledger.keep(process::command(&mut buffer), &header.command);
    ledger.keep(env!("CARGO_PKG_VERSION").as_bytes(), &header.writer);
}

/// The process ends with this status.
pub(super) fn close(status: c_int) {
    let ledger = &ENGINE.observer.ledger;
    if let Some(header) = ledger.header() {
        ENGINE.observer.tell_all(super::tls::heap());
        header.exit_status.store(status.cast_unsigned(), Ordering::Relaxed);
        header.state.store(state::EXITED, Ordering::Release);
    }
}

/// Makes the file, `len` bytes long and empty, and maps it. The error is a code of `errno`.
fn create(path: &CStr, len: usize) -> Result<Pages, c_int> {
    let mut draft = Text::<PATH_MAX>::new();
    draft.push_bytes(path.to_bytes());
    let _fits = write!(draft, ".{}\0", process::id());
    let draft = CStr::from_bytes_until_nul(draft.as_bytes()).map_err(|_| libc::ENAMETOOLONG)?;
    let flags = libc::O_RDWR | libc::O_CREAT | libc::O_TRUNC | libc::O_CLOEXEC;
    // SAFETY: paths are C strings; the file is ours until it is renamed.
    unsafe {
        let file = libc::open(draft.as_ptr(), flags, 0o600);
        if file < 0 {
            return Err(errno());
        }
        let pages = match lengthen(file, len) {
            Ok(()) => Pages::of_file(file, len).ok_or(libc::ENOSPC),
            Err(code) => Err(code),
        };
        libc::close(file);
        match pages {
            Ok(pages) if libc::rename(draft.as_ptr(), path.as_ptr()) == 0 => Ok(pages),
            Ok(_) => Err(errno()),
            Err(code) => Err(code),
        }
        .inspect_err(|_| {
            libc::unlink(draft.as_ptr());
        })
    }
}

/// Makes an empty file `len` bytes long.
fn lengthen(file: c_int, len: usize) -> Result<(), c_int> {
    // SAFETY: all-zero is a limit, and libc fills it.
    unsafe {
        let mut limit: libc::rlimit = core::mem::zeroed();
        let is_known = libc::getrlimit(libc::RLIMIT_FSIZE, &raw mut limit) == 0;
        // To go beyond it is not only refused: it is a deadly signal.
        if is_known && limit.rlim_cur < len as libc::rlim_t {
            return Err(libc::EFBIG);
        }
        if libc::ftruncate(file, len as libc::off_t) == 0 { Ok(()) } else { Err(errno()) }
    }
}

const PATH_MAX: usize = ReportPath::CAPACITY + 16;

fn errno() -> c_int {
    // SAFETY: libc's own thread-local, always there.
    unsafe { *libc::__errno_location() }
}

/// The path for a process that is not the first: with its id in it.
fn path_of(template: &ReportPath, id: u32) -> Option<ReportPath> {
    let expanded = template.expand(id).ok()?;
    if expanded != *template {
        return Some(expanded);
    }
    let name_start =
        template.as_bytes().iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    let dot = template.as_bytes().iter().rposition(|byte| *byte == b'.');
    let dot = dot.filter(|dot| *dot > name_start).unwrap_or(template.as_bytes().len());
    let mut path = Text::<PATH_MAX>::new();
    path.push_bytes(&template.as_bytes()[..dot]);
    let _fits = write!(path, ".{id}");
    path.push_bytes(&template.as_bytes()[dot..]);
    ReportPath::new(path.as_bytes()).ok()
}

fn complain(path: &CStr, code: c_int) {
    let mut line = Text::<{ PATH_MAX + 128 }>::new();
    line.push_bytes(b"heapsight: cannot write the ledger ");
    line.push_bytes(path.to_bytes());
    let _fits = match reason(code) {
        Some(reason) => writeln!(line, ": {reason}: this process has none"),
        None => writeln!(line, ": error {code}: this process has none"),
    };
    process::write(STDERR, line.as_bytes());
}

/// What libc says of an error. Its own `strerror` may allocate, and take locks.
fn reason(code: c_int) -> Option<&'static str> {
    Some(match code {
        libc::ENOENT => "No such file or directory",
        libc::EACCES => "Permission denied",
        libc::EISDIR => "Is a directory",
        libc::ENOTDIR => "Not a directory",
        libc::ENOSPC => "No space left on device",
        libc::EDQUOT => "Disk quota exceeded",
        libc::EFBIG => "File too large",
        libc::EROFS => "Read-only file system",
        libc::EMFILE => "Too many open files",
        libc::ENAMETOOLONG => "File name too long",
        _ => return None,
    })
}
