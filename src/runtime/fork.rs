//! The three handlers around `fork`.
//!
//! Registered as early as possible (the library is linked with `-z initfirst`), so that "before"
//! runs last and "after" first: other handlers may allocate while we hold no lock.
//!
//! After "before", glibc takes the lock of stdio's list of streams. Another thread may hold it in
//! `fflush(NULL)`, waiting for a stream whose owner waits, inside `getline`, for our locks. So we
//! take that lock first; it is recursive, and glibc resets it in the child.

use super::{ENGINE, ask, ledger, loaded, safety, tls};
use crate::base::sync::{AtomicBool, AtomicU64, Ordering};
use crate::heap::fork::ForkLocks;

/// The locks taken, from "before" to "after": a stack of a byte each, because a signal handler may
/// fork on top of a fork. Forks of different threads are serialised by those very locks.
static TAKEN: AtomicU64 = AtomicU64::new(0);
static IS_CHILD: AtomicBool = AtomicBool::new(false);

/// Registers the handlers.
pub(super) fn register() {
    stdio::resolve();
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
    stdio::lock();
    push(ENGINE.before_fork());
}

unsafe extern "C" fn after() {
    ENGINE.after_fork(pop());
    stdio::unlock();
}

unsafe extern "C" fn after_in_child() {
    IS_CHILD.store(true, Ordering::Relaxed);
    stdio::forget();
    loaded::forked();
    ask::forget();
    safety::forked();
    if !ENGINE.observer.forked(ledger::for_child()) {
        ledger::withdraw_childs();
    }
    ENGINE.after_fork_in_child(pop(), tls::heap());
}

/// The lock of stdio's list of streams, where libc has one (glibc).
mod stdio {
    use crate::base::sync::{AtomicPtr, AtomicU32, Ordering};
    use core::ffi::{CStr, c_char, c_void};
    use core::mem;
    use core::ptr;

    static LOCK: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    static UNLOCK: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    static IS_SINGLE_THREADED: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());
    /// How often `lock` has locked, for `unlock`; guarded by the lock itself.
    static DEPTH: AtomicU32 = AtomicU32::new(0);

    /// Looks libc's functions up.
    pub(super) fn resolve() {
        let find = |name: &CStr| {
            // SAFETY: a C string.
            unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
        };
        LOCK.store(find(c"_IO_list_lock"), Ordering::Relaxed);
        UNLOCK.store(find(c"_IO_list_unlock"), Ordering::Relaxed);
        IS_SINGLE_THREADED.store(find(c"__libc_single_threaded"), Ordering::Relaxed);
    }

    /// Takes the lock in a process with threads; without, a fork may come from a signal handler on
    /// top of stdio, and glibc does not take it either.
    pub(super) fn lock() {
        let flag = IS_SINGLE_THREADED.load(Ordering::Relaxed).cast::<c_char>();
        // SAFETY: libc's own variable, or null.
        let has_threads = unsafe { flag.as_ref() }.is_some_and(|single| *single == 0);
        if has_threads && !UNLOCK.load(Ordering::Relaxed).is_null() && call(&LOCK) {
            DEPTH.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Gives it back, in the parent.
    pub(super) fn unlock() {
        if DEPTH.load(Ordering::Relaxed) > 0 {
            DEPTH.fetch_sub(1, Ordering::Relaxed);
            call(&UNLOCK);
        }
    }

    /// The child has the lock no more: glibc has made it anew.
    pub(super) fn forget() {
        DEPTH.store(0, Ordering::Relaxed);
    }

    fn call(function: &AtomicPtr<c_void>) -> bool {
        let function = function.load(Ordering::Relaxed);
        if function.is_null() {
            return false;
        }
        // SAFETY: both functions of libc have this type.
        let function = unsafe { mem::transmute::<*mut c_void, unsafe extern "C" fn()>(function) };
        // SAFETY: they take and release a recursive lock, in pairs.
        unsafe { function() };
        true
    }
}
