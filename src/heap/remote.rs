//! Remote free: how a block comes home when another thread frees it.
//!
//! Each heap has an inbox, a stack that many threads push to and one drains. The freed block is its
//! own message: its first word links it to the next. A block is in at most one list at any time,
//! because it is freed once; so messages can be late, or go to a heap that has since given the slab
//! away (the drainer forwards them), but never get lost or linked twice.
//!
//! Treiber's stack (1986) with take-all instead of pop, which removes its ABA problem.
//!
//! Each push takes the inbox's line from the processor that had it last, which costs more than all
//! the rest of a free. So a thread that frees many blocks of one heap gathers them in its outbox,
//! and sends several at once (as snmalloc does, Liétar et al. 2019, which sorts them by receiver;
//! here those of one receiver are gathered at a time).

use crate::base::sync::{AtomicPtr, Ordering};
use core::cell::Cell;
use core::ptr;

/// So many blocks are sent at once. A thread that frees no more keeps one less, until its heap next
/// looks after itself or it ends.
pub(crate) const BATCH: u32 = 16;

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
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    #[cfg(loom)]
    pub(crate) fn new() -> Self {
        Self { head: AtomicPtr::new(ptr::null_mut()) }
    }

    /// Gives `node` to the inbox.
    ///
    /// # Safety
    /// The caller owns `node` and gives it up.
    #[inline]
    pub(crate) unsafe fn push(&self, node: *mut N) {
        // SAFETY: the caller's; a chain of one.
        unsafe { self.push_chain(node, node) };
    }

    /// Gives the nodes from `first` to `last`, which are chained, to the inbox.
    ///
    /// # Safety
    /// The caller owns them and gives them up.
    #[inline]
    pub(crate) unsafe fn push_chain(&self, first: *mut N, last: *mut N) {
        let mut head = self.head.load(Ordering::Relaxed);
        loop {
            // SAFETY: we own the node until the exchange below succeeds.
            unsafe { N::set_next(last, head) };
            // Release: pairs with the Acquire in `take_all`, and carries what the freeing thread
            // did to the blocks before.
            match self.head.compare_exchange_weak(head, first, Ordering::Release, Ordering::Relaxed)
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
        self.head.swap(ptr::null_mut(), Ordering::Acquire)
    }
}

/// Blocks of one other heap that a thread has freed and not sent yet. The thread's own.
#[derive(Debug)]
pub(crate) struct Outbox<N> {
    to: Cell<usize>,
    first: Cell<*mut N>,
    last: Cell<*mut N>,
    count: Cell<u32>,
}

/// What is to be sent: a chain, and to which heap.
#[derive(Debug)]
pub(crate) struct Parcel<N> {
    pub(crate) to: usize,
    pub(crate) first: *mut N,
    pub(crate) last: *mut N,
}

impl<N: Chain> Outbox<N> {
    pub(crate) const fn new() -> Self {
        Self {
            to: Cell::new(0),
            first: Cell::new(ptr::null_mut()),
            last: Cell::new(ptr::null_mut()),
            count: Cell::new(0),
        }
    }

    /// Adds `node`, which goes to the heap `to`; what is to be sent now: those that go to another
    /// one, or all, when there are enough.
    ///
    /// # Safety
    /// The caller owns `node` and gives it up.
    #[inline]
    pub(crate) unsafe fn put(&self, to: usize, node: *mut N) -> Option<Parcel<N>> {
        let others = if self.to.get() == to { None } else { self.take() };
        // SAFETY: the caller's.
        unsafe { N::set_next(node, self.first.get()) };
        if self.first.replace(node).is_null() {
            self.last.set(node);
            self.to.set(to);
        }
        self.count.set(self.count.get() + 1);
        if self.count.get() == BATCH { self.take() } else { others }
    }

    /// Takes everything.
    #[inline]
    pub(crate) fn take(&self) -> Option<Parcel<N>> {
        let first = self.first.replace(ptr::null_mut());
        self.count.set(0);
        (!first.is_null()).then(|| Parcel { to: self.to.get(), first, last: self.last.get() })
    }
}
