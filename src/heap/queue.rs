//! A heap's slabs of one class that have room: a doubly linked list through the slab records.

use super::slab::Slab;
use core::cell::Cell;
use core::ptr;

/// The list. Owned by one heap; its links live in [`Slab`].
#[derive(Debug)]
pub(super) struct Queue {
    first: Cell<*const Slab>,
}

impl Queue {
    pub(super) const fn new() -> Self {
        Self { first: Cell::new(ptr::null()) }
    }

    #[inline]
    pub(super) fn first(&self) -> Option<&Slab> {
        // SAFETY: queued records stay mapped, and the queue's owner alone unlinks them.
        unsafe { self.first.get().as_ref() }
    }

    /// Whether an empty slab is to stay: it is the only one. `now` is noted, if so.
    #[inline(always)]
    pub(super) fn keeps(&self, slab: &Slab, now: u32) -> bool {
        let is_only = ptr::eq(self.first.get(), slab) && slab.next.get().is_null();
        if is_only {
            slab.stamp.set(now);
        }
        is_only
    }

    pub(super) fn push_front(&self, slab: &Slab) {
        debug_assert!(!slab.queued.get());
        let old = self.first.replace(slab);
        slab.prev.set(ptr::null());
        slab.next.set(old);
        // SAFETY: as in `first`.
        if let Some(old) = unsafe { old.as_ref() } {
            old.prev.set(slab);
        }
        slab.queued.set(true);
    }

    /// Queues a slab behind the one that serves; at the front, if there is none.
    pub(super) fn push_second(&self, slab: &Slab) {
        let Some(first) = self.first() else { return self.push_front(slab) };
        debug_assert!(!slab.queued.get());
        let next = first.next.replace(slab);
        slab.prev.set(first);
        slab.next.set(next);
        // SAFETY: as in `first`.
        if let Some(next) = unsafe { next.as_ref() } {
            next.prev.set(slab);
        }
        slab.queued.set(true);
    }

    pub(super) fn remove(&self, slab: &Slab) {
        debug_assert!(slab.queued.get());
        let (prev, next) = (slab.prev.get(), slab.next.get());
        // SAFETY: as in `first`.
        match unsafe { prev.as_ref() } {
            Some(prev) => prev.next.set(next),
            None => self.first.set(next),
        }
        // SAFETY: as in `first`.
        if let Some(next) = unsafe { next.as_ref() } {
            next.prev.set(prev);
        }
        slab.queued.set(false);
    }

    /// The first slab that `is_wanted`.
    pub(super) fn find(&self, is_wanted: impl Fn(&Slab) -> bool) -> Option<&Slab> {
        let mut cursor = self.first.get();
        // SAFETY: as in `first`.
        while let Some(slab) = unsafe { cursor.as_ref() } {
            if is_wanted(slab) {
                return Some(slab);
            }
            cursor = slab.next.get();
        }
        None
    }

    /// Visits every slab; `visit` may remove the one it is given.
    pub(super) fn for_each(&self, mut visit: impl FnMut(&Slab)) {
        let mut cursor = self.first.get();
        // SAFETY: as in `first`; the successor is read before the visit.
        while let Some(slab) = unsafe { cursor.as_ref() } {
            cursor = slab.next.get();
            visit(slab);
        }
    }
}
