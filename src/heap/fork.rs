//! Fork: the child has one thread, and must not wait for locks of threads that it does not have.
//!
//! Before a fork the forking thread takes every lock of the engine, in their order, so that what
//! they guard is whole in the child. A lock that it holds already stays held: then it forks from a
//! signal handler on top of the engine, and the code below will release it, in both processes.
//!
//! Heaps of other threads are not behind locks. The child adopts those that were not inside a cold
//! path: on x86 its memory shows each at one instruction of its thread, and between any two
//! instructions of the fast paths a heap lacks one block at most. The others it leaves alone.

use super::engine::Engine;
use super::local::{LocalHeap, State};
use super::observe::Observer;
use crate::base::sync::Ordering;
use crate::os::lock::Lock;

/// Which locks [`Engine::before_fork`] took: a bit each.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ForkLocks(u8);

impl ForkLocks {
    /// As a number, to be kept from one handler to the next.
    pub(crate) const fn to_bits(self) -> u8 {
        self.0
    }

    /// What [`Self::to_bits`] gave.
    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }
}

impl<O: Observer> Engine<O> {
    fn locks(&self) -> [Option<&Lock>; 7] {
        let [first, second] = self.observer.locks();
        [
            Some(self.late.lock()),
            Some(self.private.lock()),
            Some(self.orphans.lock()),
            first,
            second,
            Some(self.records.lock()),
            Some(self.space.lock()),
        ]
    }

    /// Whether the calling thread holds one of the locks: it runs in a signal handler on top of the
    /// engine.
    pub(crate) fn is_interrupted(&self) -> bool {
        self.locks().into_iter().flatten().any(Lock::is_mine)
    }

    /// In the parent, before.
    pub(crate) fn before_fork(&self) -> ForkLocks {
        let mut taken = ForkLocks::default();
        for (index, lock) in self.locks().into_iter().enumerate() {
            if let Some(lock) = lock.filter(|lock| !lock.is_mine()) {
                lock.take();
                taken.0 |= 1 << index;
            }
        }
        taken
    }

    /// In the parent, after.
    pub(crate) fn after_fork(&self, taken: ForkLocks) {
        for (index, lock) in self.locks().into_iter().enumerate().rev() {
            if let Some(lock) = lock.filter(|_| taken.0 >> index & 1 == 1) {
                lock.give_back();
            }
        }
    }

    /// In the child. `survivor` is the heap of the thread that forked.
    pub(crate) fn after_fork_in_child(&self, taken: ForkLocks, survivor: &LocalHeap) {
        let is_ordered = cfg!(target_arch = "x86_64");
        self.for_each_heap(|heap| {
            self.observer.inherited(heap);
            if heap.state() != State::Running || core::ptr::eq(heap, survivor) {
                return;
            }
            self.is_torn.store(true, Ordering::Relaxed);
            if is_ordered && !heap.is_busy() {
                self.orphans.push(heap);
            } else {
                heap.set_state(State::Lost);
            }
        });
        if survivor.state() == State::Running {
            survivor.set_thread(crate::os::thread::id());
        }
        self.after_fork(taken);
    }
}
