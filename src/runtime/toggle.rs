//! A signal that switches recording off and on.
//!
//! The handler asks for another mode as `heapsight attach` does, in the ledger's header, and the
//! next thread that allocates puts it into force: to do that in the handler would change a heap
//! that the signal may have found in the middle of a change.

use super::ENGINE;
use super::options::ToggleSignal;
use crate::base::sync::{AtomicU32, Ordering};
use crate::base::text::Text;
use crate::os::process;
use core::ffi::c_int;
use core::fmt::Write;
use core::mem;
use core::ptr;

/// The signal that has our handler; zero: none.
static SIGNAL: AtomicU32 = AtomicU32::new(0);

const STDERR: c_int = 2;

/// Makes `signal` the one that switches. A signal that the program handles, or ignores, is left to
/// it, with a word on stderr.
pub(super) fn follow(signal: Option<ToggleSignal>) {
    let wanted = signal.map_or(0, number);
    let before = SIGNAL.swap(wanted.cast_unsigned(), Ordering::AcqRel).cast_signed();
    if before == wanted {
        return;
    }
    if before != 0 && handler_of(before) == ours() {
        set_handler(before, libc::SIG_DFL);
    }
    if wanted == 0 {
        return;
    }
    if handler_of(wanted) == libc::SIG_DFL {
        set_handler(wanted, ours());
    } else {
        SIGNAL.store(0, Ordering::Release);
        complain(wanted);
    }
}

fn number(signal: ToggleSignal) -> c_int {
    match signal {
        ToggleSignal::Usr1 => libc::SIGUSR1,
        ToggleSignal::Usr2 => libc::SIGUSR2,
        ToggleSignal::Hup => libc::SIGHUP,
        ToggleSignal::Urg => libc::SIGURG,
    }
}

/// Async-signal-safe: no lock, no allocation, no system call, and `errno` stays.
extern "C" fn on_signal(_: c_int) {
    let observer = &ENGINE.observer;
    observer.mode.toggle(&observer.ledger);
}

fn ours() -> libc::sighandler_t {
    on_signal as extern "C" fn(c_int) as libc::sighandler_t
}

fn handler_of(signal: c_int) -> libc::sighandler_t {
    // SAFETY: all-zero is a `sigaction`, and libc fills it.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        libc::sigaction(signal, ptr::null(), &raw mut action);
        action.sa_sigaction
    }
}

fn set_handler(signal: c_int, handler: libc::sighandler_t) {
    // SAFETY: all-zero is a `sigaction` with an empty mask; the handler takes a signal's number.
    unsafe {
        let mut action: libc::sigaction = mem::zeroed();
        action.sa_sigaction = handler;
        // A read or a wait of the program's goes on after the handler.
        action.sa_flags = libc::SA_RESTART;
        libc::sigaction(signal, &raw const action, ptr::null_mut());
    }
}

fn complain(signal: c_int) {
    let mut line = Text::<128>::new();
    let _fits = writeln!(
        line,
        "heapsight: the program handles or ignores signal {signal}: toggle_signal does nothing"
    );
    process::write(STDERR, line.as_bytes());
}
