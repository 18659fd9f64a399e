//! The three handlers around `fork`.
//!
//! Registered as early as possible (the library is linked with `-z initfirst`), so that "before"
//! runs last and "after" first: other handlers may allocate while we hold no lock.

use super::{ENGINE, tls};
use crate::base::sync::{AtomicBool, AtomicU64, Ordering};
use crate::heap::fork::ForkLocks;

/// The locks taken, from "before" to "after": a stack of a byte each, because a signal handler may
/// fork on top of a fork. Forks of different threads are serialised by those very locks.
static TAKEN: AtomicU64 = AtomicU64::new(0);
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

fn push(taken: ForkLocks) {
    let below = TAKEN.load(Ordering::Relaxed) << u8::BITS;
    TAKEN.store(below | u64::from(taken.to_bits()), Ordering::Relaxed);
}

fn pop() -> ForkLocks {
    let stack = TAKEN.load(Ordering::Relaxed);
    TAKEN.store(stack >> u8::BITS, Ordering::Relaxed);
    ForkLocks::from_bits(stack as u8)
}

unsafe extern "C" fn before() {
    push(ENGINE.before_fork());
}

unsafe extern "C" fn after() {
    ENGINE.after_fork(pop());
}

unsafe extern "C" fn after_in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    ENGINE.observer.forked();
    ENGINE.after_fork_in_child(pop(), tls::heap());
}
