//! A parking lock that knows its owner.
//!
//! Ownership is what sets it apart from a plain mutex: `fork` from a signal handler, or a `malloc`
//! in one, may find the lock held *by the very thread it interrupted*. [`Lock::acquire`] says so
//! instead of waiting for ever, and the caller fails softly.
//!
//! The word is Drepper's ("Futexes are tricky", mutex 3) with the holder's token in place of a mere
//! "held": taking the lock and saying who holds it is one step, so there is no moment at which a
//! signal handler could find it held by nobody.

use super::{futex, thread};
use crate::base::sync::{AtomicUsize, Ordering, spin_hint};

/// The lock. Guards nothing by itself: what it protects is written where it is declared.
#[derive(Debug)]
pub(crate) struct Lock {
    /// [`FREE`], or the holder's token and perhaps [`WAITED`].
    word: AtomicUsize,
}

const FREE: usize = 0;
/// Somebody waits. Tokens are even.
const WAITED: usize = 1;
/// Under loom every spin is a branch of the model; one way of waiting is enough.
const SPINS: u32 = if cfg!(loom) { 0 } else { 64 };

impl Lock {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { word: AtomicUsize::new(FREE) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { word: AtomicUsize::new(FREE) }
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
        self.word.load(Ordering::Relaxed) & !WAITED == thread::token()
    }

    /// Whether another thread holds the lock.
    pub(crate) fn is_anothers(&self) -> bool {
        self.word.load(Ordering::Relaxed) != FREE && !self.is_mine()
    }

    /// Makes the lock free, in the child of a fork that has no thread any more that could.
    pub(crate) fn forget(&self) {
        self.word.store(FREE, Ordering::Relaxed);
    }

    /// Takes the lock without a guard, for `fork`: it is given back by [`Lock::give_back`] in both
    /// processes.
    pub(crate) fn take(&self) {
        let token = thread::token();
        if !self.take_if_free(token) {
            self.take_contended(token);
        }
    }

    #[inline]
    fn take_if_free(&self, word: usize) -> bool {
        // Acquire: pairs with the Release in `give_back`.
        self.word.compare_exchange(FREE, word, Ordering::Acquire, Ordering::Relaxed).is_ok()
    }

    #[cold]
    fn take_contended(&self, token: usize) {
        for _ in 0..SPINS {
            if self.word.load(Ordering::Relaxed) == FREE && self.take_if_free(token) {
                return;
            }
            spin_hint();
        }
        // Whoever has slept cannot know that nobody else does, and takes the lock as waited for.
        while !self.take_if_free(token | WAITED) {
            let held = self.word.load(Ordering::Relaxed);
            if held != FREE && (held & WAITED != 0 || self.announce_waiter(held)) {
                futex::wait(&self.word, held | WAITED);
            }
        }
    }

    fn announce_waiter(&self, held: usize) -> bool {
        let announced = held | WAITED;
        self.word.compare_exchange(held, announced, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    /// Releases a lock this thread holds.
    pub(crate) fn give_back(&self) {
        // Release: pairs with the Acquire in `take_if_free`.
        if self.word.swap(FREE, Ordering::Release) & WAITED != 0 {
            futex::wake_one(&self.word);
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
