//! What is said of a mistake, in which order, and what happens then.
//!
//! One sentence names the mistake and the function that the block came from; then come the bytes,
//! the stacks, the neighbours, and what to run next. Nothing of it comes from the program's heap:
//! the sentence is put together in place, and what the stacks need is Heapsight's own. Where the
//! mistake interrupted Heapsight itself, the stacks are bare addresses.

use super::finding::Finding;
use super::stacks::{self, Names, Printer};
use super::turn::{self, Turn};
use super::{SEED, is_any, is_on, operators, sentence, sites, strip};
use crate::base::sync::{AtomicPtr, AtomicU8, AtomicU32, Ordering};
use crate::base::text::Text;
use crate::format::layout::event;
use crate::os::process;
use crate::runtime::ENGINE;
use crate::runtime::options::SafetyAction;
use core::ffi::{c_char, c_void};
use core::fmt::Write;
use core::{mem, ptr};

const STDERR: i32 = 2;

/// Reports of a program that goes on, at most.
const REPORTS_MAX: u32 = 200;

static ACTION: AtomicU8 = AtomicU8::new(ABORT);
const ABORT: u8 = 0;
const REPORT: u8 = 1;
const CALLBACK: u8 = 2;

static COUNT: AtomicU32 = AtomicU32::new(0);
static FUNCTION: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
static DATA: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

/// What the program's own function is told of a memory error.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub struct MemoryError {
    /// Which one, in words that do not change: `double free`, `heap buffer overflow`.
    pub kind: *const c_char,
    /// The sentence of the report.
    pub message: *const c_char,
    /// The address concerned: of the access, the free, or the first damaged byte.
    pub address: *const c_void,
}

/// A function that hears of memory errors.
pub type OnMemoryError = unsafe extern "C" fn(error: *const MemoryError, data: *mut c_void);

pub(super) fn set_action(action: SafetyAction) {
    let number = match action {
        SafetyAction::Abort => ABORT,
        SafetyAction::Report => REPORT,
        SafetyAction::Callback => CALLBACK,
    };
    ACTION.store(number, Ordering::Relaxed);
}

/// Names the function that `safety_action=callback` calls.
pub(crate) fn set_function(function: Option<OnMemoryError>, data: *mut c_void) {
    FUNCTION.store(ptr::null_mut(), Ordering::Release);
    DATA.store(data, Ordering::Release);
    let function = function.map_or(ptr::null_mut(), |function| function as *mut c_void);
    FUNCTION.store(function, Ordering::Release);
}

/// Writes to standard error, at once.
pub(super) fn say(bytes: &[u8]) {
    process::write(STDERR, bytes);
}

/// Says what was found, if it is a mistake. Comes back if the program is to go on.
#[cold]
pub(in crate::runtime) fn report(finding: &Finding) {
    if !operators::may_explain(finding) && !tell(finding) {
        process::abort();
    }
}

/// Says what was found; whether the program is to go on.
#[cold]
pub(super) fn tell(finding: &Finding) -> bool {
    let Some(turn) = Turn::take() else { turn::fail() };
    let action = ACTION.load(Ordering::Relaxed);
    if action == REPORT && COUNT.fetch_add(1, Ordering::Relaxed) >= REPORTS_MAX {
        return true;
    }
    let mut line = Text::<512>::new();
    let _cut = sentence::write(finding, &Names::NONE, &mut line);
    turn.prepare(&line);
    if ENGINE.is_interrupted() {
        tell_plainly(finding, &turn, &line);
    } else {
        stacks::print(|printer| tell_fully(finding, &turn, &mut line, printer));
    }
    advise(finding);
    sites::remember(finding, line.as_bytes());
    drop(turn);
    match action {
        REPORT => true,
        CALLBACK => call_back(finding, &mut line),
        _ => false,
    }
}

fn first_line(turn: &Turn, line: &Text<512>) {
    say(line.as_bytes());
    turn.said();
    ENGINE.observer.ledger.note(event::MISUSE, 0, line.as_bytes().trim_ascii_end());
}

fn tell_plainly(finding: &Finding, turn: &Turn, line: &Text<512>) {
    say(line.as_bytes());
    turn.said();
    let mut strip = Text::<1024>::new();
    let _cut = strip::write(finding, &mut strip);
    say(strip.as_bytes());
    stacks::print_addresses(finding);
}

fn tell_fully(finding: &Finding, turn: &Turn, line: &mut Text<512>, printer: &mut Printer<'_>) {
    let names = printer.names(finding);
    *line = Text::new();
    let _cut = sentence::write(finding, &names, line);
    first_line(turn, line);
    let mut strip = Text::<1024>::new();
    let _cut = strip::write(finding, &mut strip);
    say(strip.as_bytes());
    printer.stacks(finding);
}

/// What to do next.
fn advise(finding: &Finding) {
    let mut line = Text::<512>::new();
    let is_watched = is_on() || matches!(stacks::owner(finding), stacks::Owner::Dead(_));
    let _cut = write!(line, "  {}", sentence::advice(finding, is_watched));
    let seed = SEED.load(Ordering::Relaxed);
    let how = if is_on() { "placed" } else { "drawn" };
    if is_any() && seed != 0 {
        let _cut = write!(line, " Blocks were {how} by safety_seed={seed}.");
    }
    let _cut = writeln!(line);
    say(line.as_bytes());
}

/// Calls the program's function; whether there is one.
fn call_back(finding: &Finding, line: &mut Text<512>) -> bool {
    let function = FUNCTION.load(Ordering::Acquire);
    if function.is_null() {
        return false;
    }
    let mut message = Text::<513>::new();
    message.push_bytes(line.as_bytes().trim_ascii_end());
    message.push_bytes(b"\0");
    let error = MemoryError {
        kind: sentence::kind(finding).as_ptr(),
        message: message.as_bytes().as_ptr().cast(),
        address: ptr::without_provenance(sentence::address(finding)),
    };
    // SAFETY: `set_function` stored it.
    let function = unsafe { mem::transmute::<*mut c_void, OnMemoryError>(function) };
    // SAFETY: whoever named the function promised that it may be called so.
    unsafe { function(&raw const error, DATA.load(Ordering::Acquire)) };
    true
}
