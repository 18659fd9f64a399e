//! A parking lock that knows its owner.
//!
//! Ownership is what sets it apart from a plain mutex: `fork` from a signal handler, or a `malloc`
//! in one, may find the lock held *by the very thread it interrupted*. [`Lock::acquire`] says so
//! instead of waiting for ever, and the caller fails softly.
//!
//! The state word is Drepper's ("Futexes are tricky", mutex 2): 0 free, 1 held, 2 held and waited
//! for.

use super::{futex, thread};
use crate::base::sync::{AtomicU32, AtomicUsize, Ordering, spin_hint};

/// The lock. Guards nothing by itself: what it protects is written where it is declared.
#[derive(Debug)]
pub(crate) struct Lock {
    state: AtomicU32,
    owner: AtomicUsize,
}

const FREE: u32 = 0;
const HELD: u32 = 1;
const WAITED: u32 = 2;
/// Under loom every spin is a branch of the model; one way of waiting is enough.
const SPINS: u32 = if cfg!(loom) { 0 } else { 64 };

impl Lock {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU32::new(FREE), owner: AtomicUsize::new(0) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { state: AtomicU32::new(FREE), owner: AtomicUsize::new(0) }
    }

    /// Takes the lock, waiting for other threads. `None`: this thread holds it already, so the
    /// caller runs inside a signal handler that interrupted the holder.
    #[inline]
    pub(crate) fn acquire(&self) -> Option<Guard<'_>> {
        if self.is_mine() {
            return None;
        }
        self.take();
        Some(Guard(self))
    }

    /// Whether the calling thread holds the lock. Only it can have stored its own token, so a
    /// relaxed read is exact.
    #[inline]
    pub(crate) fn is_mine(&self) -> bool {
        self.owner.load(Ordering::Relaxed) == thread::token()
    }

    /// Takes the lock without a guard, for `fork`: it is given back by [`Lock::give_back`] in both
    /// processes.
    pub(crate) fn take(&self) {
        // Acquire: pairs with the Release in `give_back`.
        let free = self.state.compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed);
        if free.is_err() {
            self.take_contended();
        }
        self.owner.store(thread::token(), Ordering::Relaxed);
    }

    #[cold]
    fn take_contended(&self) {
        for _ in 0..SPINS {
            if self.state.load(Ordering::Relaxed) == FREE
                && self
                    .state
                    .compare_exchange(FREE, HELD, Ordering::Acquire, Ordering::Relaxed)
                    .is_ok()
            {
                return;
            }
            spin_hint();
        }
        while self.state.swap(WAITED, Ordering::Acquire) != FREE {
            futex::wait(&self.state, WAITED);
        }
    }

    /// Releases a lock this thread holds.
    pub(crate) fn give_back(&self) {
        self.owner.store(0, Ordering::Relaxed);
        // Release: pairs with the Acquire in `take`.
        if self.state.swap(FREE, Ordering::Release) == WAITED {
            futex::wake_one(&self.state);
        }
    }
}

/// Holds a [`Lock`] until dropped.
#[derive(Debug)]
pub(crate) struct Guard<'a>(&'a Lock);

impl Drop for Guard<'_> {
    #[inline]
    fn drop(&mut self) {
        self.0.give_back();
    }
}
