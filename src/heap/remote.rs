//! Remote free: how a block comes home when another thread frees it.
//!
//! Each heap has an inbox, a stack that many threads push to and one drains. The freed block is its
//! own message: its first word links it to the next. A block is in at most one list at any time,
//! because it is freed once; so messages can be late, or go to a heap that has since given the slab
//! away (the drainer forwards them), but never get lost or linked twice.
//!
//! Treiber's stack (1986) with take-all instead of pop, which removes its ABA problem.

use crate::base::sync::{AtomicPtr, Ordering};

/// A thing that can be chained. Implemented by [`super::block::Block`]; a model run has its own.
pub(crate) trait Chain {
    /// # Safety
    /// The caller owns `node`.
    unsafe fn set_next(node: *mut Self, next: *mut Self);
}

/// Many pushers, one drainer. On a cache line of its own: pushers must not slow the owner down.
#[repr(align(64))]
#[derive(Debug)]
pub(crate) struct Inbox<N> {
    head: AtomicPtr<N>,
}

impl<N: Chain> Inbox<N> {
    #[cfg(not(loom))]
    pub(crate) const fn new() -> Self {
        Self { head: AtomicPtr::new(core::ptr::null_mut()) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(core::ptr::null_mut()) }
    }

    /// Gives `node` to the inbox.
    ///
    /// # Safety
    /// The caller owns `node` and gives it up.
    #[inline]
    pub(crate) unsafe fn push(&self, node: *mut N) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: we own the node until the exchange below succeeds.
            unsafe { N::set_next(node, head) };
            // Release: pairs with the Acquire in `take_all`, and carries what the freeing thread
            // did to the block before.
            match self.head.compare_exchange_weak(head, node, Ordering::Release, Ordering::Relaxed)
            {
                Ok(_) => return,
                Err(now) => head = now,
            }
        }
    }

    /// Whether a drain would find something. A hint: others may push at any time.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.head.load(Ordering::Relaxed).is_null()
    }

    /// Takes everything: the first node of a chain that the caller then owns, or null.
    #[inline]
    pub(crate) fn take_all(&self) -> *mut N {
        // Acquire: pairs with the Release in `push`.
        self.head.swap(core::ptr::null_mut(), Ordering::Acquire)
    }
}
