//! The engine: what all heaps of a process share.
//!
//! Generic over its observer, so that the engine is built, tested and measured without one. The
//! product has one engine, a static of `runtime`; a test may have ten.

use super::local::{LocalHeap, State};
use super::observe::{ColumnMemory, Observer, Slot};
use super::orphans::Orphans;
use super::records::Records;
use super::sampled::LOOKED_AT;
use super::shared::SharedHeap;
use super::slab::{Kind, Slab};
use super::space::Space;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
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
    /// Every block is watched from above: none may go the short way.
    pub(super) is_watched: AtomicBool,
    /// That was so and has ended: not all that is free is poisoned.
    was_watched: AtomicBool,
    /// State of the random numbers by which blocks are placed; zero: they lie in order.
    placement: AtomicU64,
    /// Callers that want blocks of these classes, or large ones, are looked at.
    pub(super) looked_at: [AtomicU64; LOOKED_AT],
    /// A free block whose link or key somebody has overwritten, until it is reported.
    damaged: AtomicPtr<u8>,
    pub(crate) observer: O,
    /// Copies and fills what is not small; null: the platform does.
    memory: AtomicPtr<Dispatch>,
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
            is_watched: AtomicBool::new(false),
            was_watched: AtomicBool::new(false),
            placement: AtomicU64::new(0),
            looked_at: [const { AtomicU64::new(0) }; LOOKED_AT],
            damaged: AtomicPtr::new(ptr::null_mut()),
            observer,
            memory: AtomicPtr::new(ptr::null_mut()),
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

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
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

    /// The routines that copy and fill what is not small.
    #[inline(always)]
    pub(crate) fn memory(&self) -> Option<&Dispatch> {
        // SAFETY: null, or what `set_memory` was given.
        unsafe { self.memory.load(Ordering::Acquire).as_ref() }
    }

    /// Has these routines copy and fill from now on; the platform did before.
    pub(crate) fn set_memory(&self, routines: &'static Dispatch) {
        self.memory.store(ptr::from_ref(routines).cast_mut(), Ordering::Release);
    }

    /// Whether every block is watched from above, for heaps that begin to follow the observer.
    pub(crate) fn set_watched(&self, is_watched: bool) {
        let was_watched = self.is_watched.swap(is_watched, Ordering::Relaxed);
        if was_watched && !is_watched {
            self.was_watched.store(true, Ordering::Relaxed);
        }
    }

    /// Whether free blocks of a slab are poisoned behind their two link words: those that came into
    /// being since every block is watched.
    pub(crate) fn is_poisoned(&self, slab: &Slab) -> bool {
        self.is_watched.load(Ordering::Relaxed)
            && slab.held() > 0
            && !self.was_watched.load(Ordering::Relaxed)
    }

    /// Places blocks at random from here on, the same for the same seed, which is not zero.
    pub(crate) fn set_placement(&self, seed: u64) {
        self.placement.store(seed, Ordering::Relaxed);
    }

    /// A random number of the sequence that [`Self::set_placement`] began (SplitMix64); zero
    /// before.
    pub(crate) fn placement(&self) -> u64 {
        const STEP: u64 = 0x9e37_79b9_7f4a_7c15;
        if self.placement.load(Ordering::Relaxed) == 0 {
            return 0;
        }
        let state = self.placement.fetch_add(STEP, Ordering::Relaxed);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) | 1
    }

    pub(super) fn set_damaged(&self, block: *mut u8) {
        self.damaged.store(block, Ordering::Relaxed);
    }

    /// A free block that somebody has written to, if one was found since the last call.
    pub(crate) fn take_damaged(&self) -> Option<*mut u8> {
        if self.damaged.load(Ordering::Relaxed).is_null() {
            return None;
        }
        Some(self.damaged.swap(ptr::null_mut(), Ordering::Relaxed)).filter(|block| !block.is_null())
    }

    /// Runs `task` while no signal handler's requests reach `heap`, the caller's. `None`: it runs
    /// in one itself, on top of the heap.
    pub(crate) fn undisturbed<T>(&self, heap: &LocalHeap, task: impl FnOnce() -> T) -> Option<T> {
        let _busy = if heap.state() == State::Running { heap.enter() } else { None }?;
        Some(task())
    }

    /// Visits every block of tracked slabs that has had a user. No other thread may use the heap
    /// meanwhile, and the visitor must not allocate or free.
    pub(crate) fn for_each_block(&self, mut visit: impl FnMut(Slot<'_>, *mut u8)) {
        self.space.for_each_span(|slab| {
            let is_used = matches!(slab.kind(), Kind::Slab | Kind::Large) && slab.is_tracked();
            let count = if is_used { slab.capacity() } else { 0 };
            for index in slab.held()..count {
                visit(Slot { slab, index }, slab.block(index));
            }
        });
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
