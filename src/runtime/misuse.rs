//! What happens when the program frees or resizes what it must not.
//!
//! `safety=basic`, the default: one report on stderr, then `abort`. `safety=off`: the call does
//! nothing. The first line is written before anything else is tried, so that it is there even if
//! the process is too broken for the stacks that follow.

use super::{ENGINE, inspect, safety};
use crate::base::sync::{AtomicBool, Ordering};
use crate::base::text::Text;
use crate::format::layout::event;
use crate::heap::locate::{Misuse, MisuseKind};
use crate::os::process;
use core::fmt::Write;

/// Which call was given the wrong pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Free,
    Realloc,
}

static IS_FATAL: AtomicBool = AtomicBool::new(true);
static IS_REPORTING: AtomicBool = AtomicBool::new(false);

const STDERR: i32 = 2;

/// Chooses between `safety=basic` and `safety=off`.
pub(super) fn set_fatal(fatal: bool) {
    IS_FATAL.store(fatal, Ordering::Relaxed);
}

/// Reports the misuse and ends the process, or ignores the call.
#[cold]
pub(crate) fn handle(call: Call, misuse: Misuse) {
    if !IS_FATAL.load(Ordering::Relaxed) {
        return;
    }
    say(call, misuse);
    // A second thread with a bad pointer, or a bad pointer in the report itself, only aborts.
    if !IS_REPORTING.swap(true, Ordering::Relaxed) {
        print_stacks(misuse);
    }
    process::abort();
}

/// Where the program is, and where the block concerned came from.
fn print_stacks(misuse: Misuse) {
    let mut printer = inspect::StackPrinter::begin();
    printer.here("in this call");
    let slot = ENGINE.slot_of(misuse.address);
    let record = slot.and_then(|slot| ENGINE.observer.record_of(slot));
    if let Some(record) = record {
        let thread = ENGINE.observer.thread_id(record);
        printer.site("the block", record.size, thread, record.site);
    } else if let Some(grave) = safety::grave_of(misuse.address) {
        safety::print_grave(&grave);
    }
}

/// Reports a size that does not match the block. The block is fine, so the program goes on.
#[cold]
pub(crate) fn report_size(address: *mut u8, named: usize, usable: usize) {
    if !IS_FATAL.load(Ordering::Relaxed) {
        return;
    }
    let mut line = Text::<256>::new();
    let _cut = writeln!(
        line,
        "heapsight: size mismatch: c_free or c_realloc of {address:p} names {named} bytes, \
         but the block holds at most {usable}. The call goes on with the block's own size."
    );
    process::write(STDERR, line.as_bytes());
}

fn say(call: Call, misuse: Misuse) {
    let mut line = Text::<512>::new();
    let (what, advice) = describe(misuse.kind);
    let caller = match call {
        Call::Free => "free",
        Call::Realloc => "realloc",
    };
    let _cut = write!(line, "heapsight: {what}: {caller}({:p}): ", misuse.address);
    let _cut = match misuse.block {
        Some((start, size)) if start != misuse.address => {
            let inside = misuse.address as usize - start as usize;
            write!(line, "the address is {inside} bytes into the {size}-byte block at {start:p}. ")
        }
        Some((start, size)) => write!(line, "the {size}-byte block at {start:p}. "),
        None => Ok(()),
    };
    let _cut = writeln!(line, "{advice}");
    process::write(STDERR, line.as_bytes());
    ENGINE.observer.ledger.note(event::MISUSE, 0, line.as_bytes().trim_ascii_end());
}

const fn describe(kind: MisuseKind) -> (&'static str, &'static str) {
    match kind {
        MisuseKind::DoubleFree => {
            ("double free", "It was freed before and has no owner; look for a second owner of it.")
        }
        MisuseKind::NotBlockStart => {
            ("invalid free", "Only the address that malloc returned can be freed.")
        }
        MisuseKind::NotAllocated => (
            "invalid free",
            "This heap memory holds no block in use: it was freed before, or never allocated.",
        ),
        MisuseKind::Foreign => (
            "foreign free",
            "The address was not allocated by this heap: look for a stack, static or mmap address.",
        ),
    }
}
