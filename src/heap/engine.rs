//! The engine: what all heaps of a process share.
//!
//! Generic over its observer, so that the engine is built, tested and measured without one. The
//! product has one engine, a static of `runtime`; a test may have ten.

use super::local::{LocalHeap, State};
use super::observe::{ColumnMemory, Observer};
use super::orphans::Orphans;
use super::records::Records;
use super::shared::SharedHeap;
use super::space::Space;
use crate::base::sync::{AtomicBool, AtomicPtr, Ordering};
use crate::mem::libc::platform;
use crate::mem::routines::dispatch::Dispatch;
use crate::os::thread;
use core::ptr;

/// See the module. The space comes first: every `free` reads its first line.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Engine<O> {
    pub(crate) space: Space,
    pub(super) records: Records,
    pub(super) orphans: Orphans,
    /// For threads that allocate after their heap has gone, and for signal handlers that
    /// interrupted theirs.
    pub(crate) late: SharedHeap,
    /// For Heapsight's own needs; never observed.
    pub(crate) private: SharedHeap,
    /// Every heap ever made.
    heaps: AtomicPtr<LocalHeap>,
    /// This process was forked while other threads were using their heaps.
    pub(super) is_torn: AtomicBool,
    pub(crate) observer: O,
    /// Copies and fills what is not small.
    pub(crate) memory: Dispatch,
}

// SAFETY: the parts are Sync or say how they are guarded; heaps are reached through their owners.
unsafe impl<O: Sync> Sync for Engine<O> {}

impl<O: Observer> Engine<O> {
    /// An engine that holds nothing; it reserves memory at its first allocation. All zeros, as long
    /// as the observer is: what is not used of the static one then occupies no memory, where pages
    /// of the object file would.
    pub(crate) const fn new(observer: O) -> Self {
        Self {
            space: Space::new(),
            records: Records::new(),
            orphans: Orphans::new(),
            late: SharedHeap::new(),
            private: SharedHeap::new(),
            heaps: AtomicPtr::new(ptr::null_mut()),
            is_torn: AtomicBool::new(false),
            observer,
            memory: Dispatch::new(platform()),
        }
    }

    /// A heap for the calling thread: an orphan's, or a new one. `None`: out of memory.
    pub(crate) fn attach(&self) -> Option<&LocalHeap> {
        let heap = match self.orphans.adopt_heap() {
            Some(heap) => {
                self.observer.handed_over(heap);
                heap
            }
            None => self.new_heap()?,
        };
        heap.set_thread(thread::id());
        heap.set_state(State::Running);
        Some(heap)
    }

    /// Takes a heap back from a thread that ends. The caller must not use it again.
    pub(crate) fn detach(&self, heap: &LocalHeap) {
        self.collect(heap);
        self.observer.handed_over(heap);
        self.orphans.abandon(heap);
    }

    pub(super) fn new_heap(&self) -> Option<&LocalHeap> {
        let memory = self.records.allocate(&self.space, size_of::<LocalHeap>());
        let heap = memory.cast::<LocalHeap>();
        if heap.is_null() {
            return None;
        }
        // SAFETY: the memory is ours, large enough, 64-aligned, and never given back.
        let heap = unsafe {
            heap.write(LocalHeap::new(State::Orphan));
            &*heap
        };
        let raw = ptr::from_ref(heap).cast_mut();
        let mut first = self.heaps.load(Ordering::Relaxed);
        loop {
            heap.next_heap.store(first, Ordering::Relaxed);
            // Release: pairs with the Acquire in `for_each_heap`.
            match self.heaps.compare_exchange(first, raw, Ordering::Release, Ordering::Relaxed) {
                Ok(_) => return Some(heap),
                Err(now) => first = now,
            }
        }
    }

    /// Visits every heap ever made.
    pub(super) fn for_each_heap(&self, mut visit: impl FnMut(&LocalHeap)) {
        let mut cursor = self.heaps.load(Ordering::Acquire);
        // SAFETY: heaps are never given back.
        while let Some(heap) = unsafe { cursor.as_ref() } {
            visit(heap);
            cursor = heap.next_heap.load(Ordering::Acquire);
        }
    }

    /// Makes `heap`, the caller's, follow what the observer wants at once; other threads' do at
    /// their next cold path. Blocks from before stay as they are.
    pub(crate) fn follow_observer(&self, heap: &LocalHeap) {
        if heap.state() == State::Running {
            self.follow_mode_of(heap);
        }
    }

    pub(super) fn column_memory(&self) -> ColumnMemory<'_> {
        ColumnMemory { records: &self.records, space: &self.space }
    }

    /// Gives back what `heap`, its inbox, the orphans and all free spans hold; bytes returned to
    /// the system.
    pub(crate) fn trim(&self, heap: &LocalHeap) -> usize {
        if heap.state() == State::Running {
            self.collect(heap);
        }
        self.orphans.for_each(|orphan| self.collect_slabs(orphan));
        for shared in [&self.late, &self.private] {
            shared.visit(|heap| self.collect_slabs(heap));
        }
        self.space.purge_all()
    }
}
