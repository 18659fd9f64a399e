//! The three handlers around `fork`.
//!
//! Registered as early as possible (the library is linked with `-z initfirst`), so that "before"
//! runs last and "after" first: other handlers may allocate while we hold no lock.

use super::{ENGINE, tls};
use crate::base::sync::{AtomicBool, AtomicU8, Ordering};
use crate::heap::fork::ForkLocks;

/// The locks taken, from "before" to "after". Forks are serialised by those very locks.
static TAKEN: AtomicU8 = AtomicU8::new(0);
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Registers the handlers.
pub(super) fn register() {
    // SAFETY: the handlers are async-signal-safe: they take locks they do not hold, and no more.
    unsafe { libc::pthread_atfork(Some(before), Some(after), Some(after_in_child)) };
}

/// Whether this process was forked from one that had started Heapsight, and has not called `exec`.
pub(super) fn is_child() -> bool {
    IS_CHILD.load(Ordering::Relaxed)
}

unsafe extern "C" fn before() {
    TAKEN.store(ENGINE.before_fork().to_bits(), Ordering::Relaxed);
}

unsafe extern "C" fn after() {
    ENGINE.after_fork(ForkLocks::from_bits(TAKEN.load(Ordering::Relaxed)));
}

unsafe extern "C" fn after_in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    ENGINE.observer.forked();
    let taken = ForkLocks::from_bits(TAKEN.load(Ordering::Relaxed));
    ENGINE.after_fork_in_child(taken, tls::heap());
}
