//! What another process asks of this one, through the ledger: a leak check, while the program goes
//! on.
//!
//! ```text
//!   asker: request ──▶ ledger ──▶ cold path, or handler of the signal: takes it
//!                                     stops the world, copies the process, lets it go on
//!   asker: report ◀── file ◀── copy: looks, writes, says so in the ledger, ends
//! ```
//!
//! Whichever thread notices serves, unless it is inside the allocator: then the request stays for
//! the next one. It does so on a stack of its own, as the program's may be small. The copy is left
//! to itself; at its end the handler hears of it and clears it away, so that it is neither a zombie
//! for long nor ever a child that the program waits for.

use super::leaks;
use super::park::{self, Caller};
use super::search::{self, Held};
use super::{ENGINE, ledger, tls};
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU32, Ordering};
use crate::format::check::REPORT;
use crate::format::layout::{Check, Header, outcome};
use crate::heap::local::State;
use crate::leak::scratch::NoMemory;
use crate::leak::world::Thread;
use crate::os::copy::{self, Child, Made, Standing};
use crate::os::{memory, process, thread};
use crate::report::{self, LeakReport};
use core::ptr::{self, NonNull};
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// One thread serves at a time.
static SERVING: AtomicBool = AtomicBool::new(false);
/// The copy that has not been cleared away; zero: none.
static COPY: AtomicU32 = AtomicU32::new(0);
/// The stack to serve on, once there is one.
static STACK: AtomicPtr<u8> = AtomicPtr::new(ptr::null_mut());

/// Only what is used of it is memory: little here, more in the copy.
const STACK_LEN: usize = 4 << 20;
/// A copy that takes longer has come upon a lock of a thread that it does not have.
const SECONDS_MAX: usize = 900;

/// Has a signal make this process look, so that it can be asked while it sleeps.
pub(super) fn listen() {
    if let (Some(header), Some(signal)) = (ENGINE.observer.ledger.header(), park::listen()) {
        header.check.signal.store(signal.cast_unsigned(), Ordering::Relaxed);
    }
}

/// In a forked child: what its parent was about to do, it does not do.
pub(super) fn forget() {
    COPY.store(0, Ordering::Relaxed);
    SERVING.store(false, Ordering::Relaxed);
}

/// The stack that is served on: start and length. It holds addresses of blocks, but holds no block.
pub(super) fn stack() -> Option<(usize, usize)> {
    let start = STACK.load(Ordering::Relaxed);
    (!start.is_null()).then_some((start as usize, STACK_LEN))
}

/// On a cold path, at its end.
#[inline(always)]
pub(super) fn look() {
    if let Some(header) = ENGINE.observer.ledger.header()
        && is_anything_to_do(&header.check)
    {
        serve_here(header);
    }
}

#[inline(always)]
fn is_anything_to_do(check: &Check) -> bool {
    let asked = check.asked.load(Ordering::Relaxed);
    asked != check.taken.load(Ordering::Relaxed) || COPY.load(Ordering::Relaxed) != 0
}

#[cold]
#[inline(never)]
fn serve_here(header: &Header) {
    let caller = Caller::here();
    serve(header, || caller.thread());
}

/// In the handler of the signal. Async-signal-safe: system calls, and locks only if this thread
/// holds none of them. `own`: how this thread was interrupted.
pub(super) fn signalled(own: impl FnOnce() -> Thread) {
    if let Some(header) = ENGINE.observer.ledger.header()
        && is_anything_to_do(&header.check)
    {
        serve(header, own);
    }
}

/// A request, on its way to the other stack.
struct Request<'a> {
    header: &'a Header,
    number: u32,
    own: Thread,
}

fn serve(header: &Header, own: impl FnOnce() -> Thread) {
    // A child of `vfork` runs on its parent's memory.
    let is_own = header.pid.load(Ordering::Relaxed) == process::id();
    if !is_own || SERVING.swap(true, Ordering::AcqRel) {
        return;
    }
    clear_away(header);
    if COPY.load(Ordering::Relaxed) == 0
        && may_serve()
        && let Some(number) = take(&header.check)
    {
        say_who_listens(&header.check);
        match stack_to_serve_on() {
            Some(stack) => {
                let mut request = Request { header, number, own: own() };
                // SAFETY: whoever serves has the stack for itself; `body` gets what it expects.
                unsafe { thread::call_on_stack(stack, body, (&raw mut request).cast()) };
            }
            None => end(&header.check, number, outcome::NO_MEMORY, 0),
        }
    }
    SERVING.store(false, Ordering::Release);
}

/// Says who handles the signal by now: the program may have taken it. Then nobody sends it any
/// more.
fn say_who_listens(check: &Check) {
    if check.signal.load(Ordering::Relaxed) != 0 && !park::is_listening() {
        check.signal.store(0, Ordering::Relaxed);
    }
}

/// Whether this thread is outside of the allocator, and nobody stops it just now.
fn may_serve() -> bool {
    let heap = tls::heap();
    // One without a heap could not allocate in the copy, where the heap is frozen at first.
    let is_outside = heap.state() == State::Running && !heap.is_busy() && !heap.is_observing();
    is_outside && !ENGINE.is_interrupted() && !park::is_stopping()
}

/// Takes the request, if there is one; its number.
fn take(check: &Check) -> Option<u32> {
    let (asked, taken) = (check.asked.load(Ordering::Acquire), check.taken.load(Ordering::Relaxed));
    if asked == taken {
        return None;
    }
    check.outcome.store(0, Ordering::Relaxed);
    check.pause_ns.store(0, Ordering::Relaxed);
    check.taken.store(asked, Ordering::Release);
    Some(asked)
}

fn end(check: &Check, number: u32, how: u32, detail: i32) {
    check.detail.store(detail.cast_unsigned(), Ordering::Relaxed);
    check.outcome.store(how, Ordering::Relaxed);
    check.ended.store(number, Ordering::Release);
}

/// Clears a copy away that has ended. One that could not say how says nothing any more.
fn clear_away(header: &Header) {
    let id = COPY.load(Ordering::Relaxed);
    if id == 0 {
        return;
    }
    if let Standing::Ended(status) = Child::standing(id) {
        COPY.store(0, Ordering::Relaxed);
        let taken = header.check.taken.load(Ordering::Relaxed);
        if header.check.ended.load(Ordering::Acquire) != taken {
            end(&header.check, taken, outcome::DIED, status);
        }
    }
}

/// The end of the stack.
fn stack_to_serve_on() -> Option<*mut u8> {
    let mut start = STACK.load(Ordering::Relaxed);
    if start.is_null() {
        start = memory::map_zeroed(STACK_LEN)?.as_ptr();
        STACK.store(start, Ordering::Relaxed);
    }
    NonNull::new(start.wrapping_add(STACK_LEN)).map(NonNull::as_ptr)
}

/// # Safety
/// `request` is a [`Request`], and this thread serves.
unsafe extern "C" fn body(request: *mut u8) {
    // SAFETY: the caller's.
    let request = unsafe { &*request.cast::<Request<'_>>() };
    let (check, number) = (&request.header.check, request.number);
    let Ok(held) = Held::take(request.own) else {
        return end(check, number, outcome::NO_MEMORY, 0);
    };
    let signal = check.signal.load(Ordering::Relaxed).cast_signed();
    // SAFETY: the copy settles at once. What it needs then are system calls, scratch memory and,
    // once the heap is no longer frozen, blocks: this thread is outside of the allocator, so its
    // heap is whole, and what others had locked of the engine was given back before it was frozen.
    match unsafe { copy::leave(signal) } {
        Made::Copy => {
            copy::settle(c"heapsight-leaks", SECONDS_MAX);
            answer(request, held);
            copy::end(true)
        }
        Made::Original(child) => {
            drop(held);
            COPY.store(child.id(), Ordering::Relaxed);
            check.pause_ns.store(search::pause_ns(), Ordering::Release);
        }
        Made::Refused(error) => {
            drop(held);
            end(check, number, outcome::REFUSED, error);
        }
    }
}

// --- In the copy ---

fn answer(request: &Request<'_>, held: Held) {
    let Request { header, number, .. } = request;
    let check = &header.check;
    // Nothing is asked of a heap before the check itself is done: until then it is frozen.
    match report_of(check, held) {
        Err(NoMemory) => end(check, *number, outcome::NO_MEMORY, 0),
        Ok(report) => match write(&report) {
            Ok(()) => end(check, *number, outcome::REPORTED, 0),
            Err(error) => {
                end(check, *number, outcome::UNWRITTEN, error.raw_os_error().unwrap_or(0));
            }
        },
    }
}

fn report_of(check: &Check, held: Held) -> Result<LeakReport, NoMemory> {
    // The ledger is shared with the program: what happens here is none of its business.
    tls::heap().set_observing(true);
    let report = leaks::report_in_copy(held, check.address.load(Ordering::Relaxed))?;
    Ok(LeakReport { pause_ns: pause_ns(check), ..report })
}

/// How long the program stood still: it says so as soon as it goes on.
fn pause_ns(check: &Check) -> Option<u64> {
    for _ in 0..100 {
        match check.pause_ns.load(Ordering::Acquire) {
            0 => std::thread::sleep(Duration::from_millis(1)),
            pause => return Some(pause),
        }
    }
    None
}

/// Writes the report beside the ledger. It has its name when it is whole.
fn write(report: &LeakReport) -> io::Result<()> {
    let ledger = ledger::path(report.pid).ok_or(io::ErrorKind::NotFound)?;
    let beside = |ending: &str| {
        let mut name = OsString::from(OsStr::from_bytes(ledger.as_bytes()));
        name.push(ending);
        PathBuf::from(name)
    };
    let (path, draft) = (beside(REPORT), beside(&std::format!("{REPORT}.{}", process::id())));
    let _older = fs::remove_file(&draft);
    let file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    let written = write_to(file, report).and_then(|()| fs::rename(&draft, path));
    if written.is_err() {
        let _gone = fs::remove_file(&draft);
    }
    written
}

fn write_to(file: File, report: &LeakReport) -> io::Result<()> {
    let mut file = BufWriter::new(file);
    report::write_json(report, &mut file)?;
    file.flush()
}
