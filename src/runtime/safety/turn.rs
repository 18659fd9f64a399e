//! One report at a time, and an end to each.
//!
//! A second thread with a mistake waits until the first has said its own: it would cut it short. A
//! mistake of the report itself is told apart by its thread: then what was to be said first is
//! said, if it was not, and the process ends. Should all else fail, a timer ends the process: a
//! report may need a lock whose owner waits for it.

use crate::base::sync::{AtomicBool, AtomicUsize, Ordering};
use crate::base::text::Text;
use crate::os::{futex, process, thread};
use core::cell::UnsafeCell;
use core::ptr;

/// The thread whose turn it is; zero: nobody's.
static TAKEN: AtomicUsize = AtomicUsize::new(0);
static PENDING: Pending = Pending(UnsafeCell::new(Text::new()));
static IS_SAID: AtomicBool = AtomicBool::new(false);

/// The sentence that is said if the report fails.
struct Pending(UnsafeCell<Text<512>>);

// SAFETY: reached only by the thread whose turn it is.
unsafe impl Sync for Pending {}

/// How long a thread waits for another's report, and how long a report may take.
const WAIT_NS: u32 = 100_000_000;
const WAITS: u32 = 150;
const SECONDS_MAX: i64 = 20;

/// The turn. It goes on to the next thread when it is dropped.
#[derive(Debug)]
pub(super) struct Turn {
    timer: Option<i32>,
}

impl Turn {
    /// Waits for the turn. `None`: this thread has it already.
    pub(super) fn take() -> Option<Self> {
        let me = thread::token();
        for _ in 0..WAITS {
            match TAKEN.compare_exchange(0, me, Ordering::Acquire, Ordering::Relaxed) {
                Ok(_) => {
                    IS_SAID.store(false, Ordering::Relaxed);
                    return Some(Self { timer: process::kill_after(SECONDS_MAX) });
                }
                Err(other) if other == me => return None,
                Err(other) => futex::wait_for(&TAKEN, other, WAIT_NS),
            }
        }
        process::abort();
    }

    /// What is to be said first, even if nothing else can.
    pub(super) fn prepare(&self, sentence: &Text<512>) {
        // SAFETY: the turn is this thread's.
        unsafe { ptr::copy_nonoverlapping(sentence, PENDING.0.get(), 1) };
    }

    /// It has been said.
    pub(super) fn said(&self) {
        IS_SAID.store(true, Ordering::Relaxed);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        if let Some(timer) = self.timer {
            process::forget_timer(timer);
        }
        TAKEN.store(0, Ordering::Release);
        futex::wake_all(&TAKEN);
    }
}

/// The report of this thread has failed: says what is left, and ends the process.
pub(super) fn fail() -> ! {
    if !IS_SAID.swap(true, Ordering::Relaxed) {
        // SAFETY: the turn is this thread's.
        super::report::say(unsafe { &*PENDING.0.get() }.as_bytes());
    }
    super::report::say(b"heapsight: the report itself failed: the process is too damaged.\n");
    process::abort()
}

/// In the child of a fork: the thread whose turn it was may not be there.
pub(super) fn forked() {
    TAKEN.store(0, Ordering::Relaxed);
}
