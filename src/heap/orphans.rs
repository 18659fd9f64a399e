//! Abandoning and adopting: what a thread leaves behind serves the others.
//!
//! A heap whose thread has ended is an orphan: it keeps its slabs, and blocks that others free
//! still arrive in its inbox. A new thread takes an orphan over whole, which changes nothing in any
//! slab record. A running thread that needs a slab takes one from an orphan: it changes the owner
//! in the record. A free that read the old owner just before goes to the orphan's inbox; whoever
//! drains that sends it on.

use super::class::ClassId;
use super::local::{LocalHeap, State};
use super::slab::Slab;
use crate::base::sync::{AtomicUsize, Ordering};
use crate::os::lock::Lock;
use core::cell::Cell;
use core::ptr;

/// The list of orphans. Its lock is also the right to use any heap on it.
#[derive(Debug)]
pub(super) struct Orphans {
    lock: Lock,
    first: Cell<*const LocalHeap>,
    count: AtomicUsize,
}

/// Most orphans that one search looks into.
const SEARCH_MAX: usize = 8;

impl Orphans {
    pub(super) const fn new() -> Self {
        Self { lock: Lock::new(), first: Cell::new(ptr::null()), count: AtomicUsize::new(0) }
    }

    /// Makes `heap` an orphan. The caller owned it and does no more.
    pub(super) fn abandon(&self, heap: &LocalHeap) {
        let Some(_lock) = self.lock.acquire() else { return };
        self.push(heap);
    }

    /// As [`Self::abandon`], for a caller that holds the lock.
    pub(super) fn push(&self, heap: &LocalHeap) {
        heap.set_state(State::Orphan);
        heap.next_orphan.set(self.first.replace(heap));
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes an orphan over whole.
    pub(super) fn adopt_heap(&self) -> Option<&LocalHeap> {
        if self.is_empty() {
            return None;
        }
        let _lock = self.lock.acquire()?;
        // SAFETY: heaps are never given back, and the lock makes the list ours.
        let heap = unsafe { self.first.get().as_ref() }?;
        self.first.set(heap.next_orphan.get());
        self.count.fetch_sub(1, Ordering::Relaxed);
        Some(heap)
    }

    /// Takes a slab with room from some orphan and makes it `heap`'s. `settle` puts an orphan's
    /// blocks into its slabs.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn adopt_slab(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        settle: impl Fn(&LocalHeap),
    ) -> Option<&Slab> {
        if self.is_empty() {
            return None;
        }
        let _lock = self.lock.acquire()?;
        let mut cursor = self.first.get();
        for _ in 0..SEARCH_MAX {
            // SAFETY: as above.
            let orphan = unsafe { cursor.as_ref() }?;
            settle(orphan);
            if orphan.is_tracked() == heap.is_tracked()
                && let Some(slab) = orphan.queue(class).first()
            {
                orphan.queue(class).remove(slab);
                slab.set_owner(heap);
                return Some(slab);
            }
            cursor = orphan.next_orphan.get();
        }
        None
    }

    /// Visits every orphan, with the right to use it.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&LocalHeap)) {
        let Some(_lock) = self.lock.acquire() else { return };
        let mut cursor = self.first.get();
        // SAFETY: as above.
        while let Some(orphan) = unsafe { cursor.as_ref() } {
            visit(orphan);
            cursor = orphan.next_orphan.get();
        }
    }

    fn is_empty(&self) -> bool {
        self.count.load(Ordering::Relaxed) == 0
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }
}
