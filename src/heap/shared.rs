//! A heap for many threads, under a lock. Blocks of it are freed like any other thread's: by way
//! of its inbox, without the lock.

use super::engine::Engine;
use super::local::{LocalHeap, State};
use super::observe::Observer;
use super::slab::Slab;
use crate::base::sync::{AtomicPtr, Ordering};
use crate::os::lock::Lock;
use core::ptr;

/// The lock, and the heap once it was needed.
#[derive(Debug)]
pub(crate) struct SharedHeap {
    lock: Lock,
    heap: AtomicPtr<LocalHeap>,
}

impl SharedHeap {
    pub(super) const fn new() -> Self {
        Self { lock: Lock::new(), heap: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Uses the heap. `None`: out of memory, or this thread is using it already.
    pub(super) fn with<O: Observer, R>(
        &self,
        engine: &Engine<O>,
        task: impl FnOnce(&LocalHeap) -> R,
    ) -> Option<R> {
        let _lock = self.lock.acquire()?;
        // SAFETY: heaps are never given back.
        let heap = match unsafe { self.heap.load(Ordering::Acquire).as_ref() } {
            Some(heap) => heap,
            None => self.make(engine)?,
        };
        heap.set_thread(crate::os::thread::id());
        Some(task(heap))
    }

    fn make<'a, O: Observer>(&self, engine: &'a Engine<O>) -> Option<&'a LocalHeap> {
        let heap = engine.new_heap()?;
        heap.set_state(State::Shared);
        if ptr::eq(self, &raw const engine.private) {
            heap.ignore_mode();
        }
        self.heap.store(ptr::from_ref(heap).cast_mut(), Ordering::Release);
        Some(heap)
    }

    /// Uses the heap if it exists.
    pub(super) fn visit(&self, task: impl FnOnce(&LocalHeap)) {
        let Some(_lock) = self.lock.acquire() else { return };
        // SAFETY: heaps are never given back.
        if let Some(heap) = unsafe { self.heap.load(Ordering::Acquire).as_ref() } {
            task(heap);
        }
    }

    /// Whether the slab is the heap's.
    pub(super) fn owns(&self, slab: &Slab) -> bool {
        // SAFETY: heaps are never given back.
        let heap = unsafe { self.heap.load(Ordering::Acquire).as_ref() };
        heap.is_some_and(|heap| slab.owner_token() == heap.token())
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }
}
