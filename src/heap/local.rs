//! A heap: one thread's slabs, by class, and its lists of blocks ready to hand out.
//!
//! A heap is used by one thread at a time: its owner, or, while it has none, whoever holds the lock
//! of the [`super::orphans::Orphans`] or of the [`super::shared::SharedHeap`] it belongs to. Only
//! its inbox is open to all. Heaps are records that are reused but never given back, so that a
//! late message to one always finds it.

use super::block::Block;
use super::class::{CLASS_COUNT, ClassId};
use super::doors::{Busy, Doors};
use super::queue::Queue;
use super::remote::{Inbox, Outbox};
use super::slab::Slab;
use crate::base::sync::{AtomicPtr, AtomicU8, AtomicU32, Ordering};
use crate::os::process;
use core::cell::Cell;
use core::ptr;

/// The heap. See the module.
#[derive(Debug)]
#[repr(C, align(64))]
pub(crate) struct LocalHeap {
    /// Blocks ready to hand out; a slab counts them as used.
    ready: [Cell<*mut Block>; CLASS_COUNT],
    queues: [Queue; CLASS_COUNT],
    /// Per class: the ready list is fresh, zero behind its two link words.
    zeroed: [Cell<bool>; CLASS_COUNT],
    tracked: Cell<bool>,
    follows_mode: Cell<bool>,
    doors: Doors,
    exit_rounds: Cell<u8>,
    pub(super) ticks: Cell<u32>,
    state: AtomicU8,
    thread: AtomicU32,
    pub(super) next_orphan: Cell<*const LocalHeap>,
    /// Next in the list of all heaps ever made.
    pub(super) next_heap: AtomicPtr<LocalHeap>,
    pub(super) inbox: Inbox<Block>,
    pub(super) outbox: Outbox<Block>,
    companion: AtomicPtr<u8>,
    /// Bytes until the next sample; [`NO_SAMPLES`].
    sample_left: Cell<u64>,
    /// Bit per class: its next block was drawn, or its caller is to be looked at.
    samples_due: Cell<u128>,
    /// Tracked slabs of a heap that samples, which have room.
    sampled: Queue,
    random: Cell<u64>,
    /// A block with a guard was handed out, and nobody has asked yet.
    picked: Cell<bool>,
    /// Bit per class: its next block was drawn.
    drawn: Cell<u128>,
    /// Blocks to the next look at a caller, where callers are looked at.
    pub(super) look_run: Cell<u32>,
}

const NO_SAMPLES: u64 = u64::MAX;

/// In whose hands a heap is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum State {
    /// Not a heap at all: what a thread has before its first allocation.
    Placeholder = 0,
    /// What a thread has after its last destructor.
    Ended = 1,
    /// A living thread's.
    Running = 2,
    /// Its thread has ended.
    Orphan = 3,
    /// Used by many threads under a lock.
    Shared = 4,
    /// Its thread was inside it when the process forked; nobody may touch it in the child.
    Lost = 5,
}

impl LocalHeap {
    /// A heap without blocks; as a constant it stands for "no heap yet".
    pub(crate) const fn new(state: State) -> Self {
        Self {
            ready: [const { Cell::new(ptr::null_mut()) }; CLASS_COUNT],
            queues: [const { Queue::new() }; CLASS_COUNT],
            zeroed: [const { Cell::new(false) }; CLASS_COUNT],
            tracked: Cell::new(false),
            follows_mode: Cell::new(true),
            doors: Doors::new(),
            exit_rounds: Cell::new(0),
            ticks: Cell::new(0),
            state: AtomicU8::new(state as u8),
            thread: AtomicU32::new(0),
            next_orphan: Cell::new(ptr::null()),
            next_heap: AtomicPtr::new(ptr::null_mut()),
            inbox: Inbox::new(),
            outbox: Outbox::new(),
            companion: AtomicPtr::new(ptr::null_mut()),
            sample_left: Cell::new(NO_SAMPLES),
            samples_due: Cell::new(0),
            sampled: Queue::new(),
            random: Cell::new(0),
            picked: Cell::new(false),
            drawn: Cell::new(0),
            look_run: Cell::new(1),
        }
    }

    /// Takes a block off the ready list of `class`, or null. Five instructions when inlined with a
    /// constant class.
    #[inline(always)]
    pub(crate) fn pop(&self, class: ClassId) -> *mut u8 {
        let ready = &self.ready[class.index()];
        let block = ready.get();
        if !block.is_null() {
            // SAFETY: blocks of the ready list are free and ours.
            unsafe {
                ready.set(Block::next(block));
                Block::clear_key(block);
            }
        }
        block.cast()
    }

    /// Refills an empty ready list.
    pub(super) fn set_ready(&self, class: ClassId, list: *mut Block, zeroed: bool) {
        debug_assert!(self.ready[class.index()].get().is_null());
        self.ready[class.index()].set(list);
        self.zeroed[class.index()].set(zeroed);
    }

    pub(super) fn take_ready(&self, class: ClassId) -> *mut Block {
        self.ready[class.index()].replace(ptr::null_mut())
    }

    pub(super) fn first_ready(&self, class: ClassId) -> *mut Block {
        self.ready[class.index()].get()
    }

    /// Whether blocks that [`Self::pop`] gives for `class` are zero behind their first two words.
    #[inline]
    pub(crate) fn is_ready_zeroed(&self, class: ClassId) -> bool {
        self.zeroed[class.index()].get()
    }

    pub(super) fn queue(&self, class: ClassId) -> &Queue {
        &self.queues[class.index()]
    }

    /// The heap as the slab records name it: its address, a multiple of 64.
    #[inline(always)]
    pub(super) fn token(&self) -> usize {
        ptr::from_ref(self).expose_provenance()
    }

    /// The heap that a slab record names.
    ///
    /// # Safety
    /// `token` is from [`Self::token`] of a heap that lives in the records, which is for ever.
    #[inline]
    pub(super) unsafe fn from_token<'a>(token: usize) -> &'a Self {
        // SAFETY: the caller's.
        unsafe { &*ptr::with_exposed_provenance(token) }
    }

    // --- Modes ---

    /// Whether slabs of this heap are observed.
    #[inline]
    pub(crate) fn is_tracked(&self) -> bool {
        self.tracked.get()
    }

    /// `quick`: what nearly always happens to a tracked block may go the short way.
    pub(super) fn set_tracked(&self, tracked: bool, quick: bool) {
        self.tracked.set(tracked);
        self.doors.set_quick(tracked && quick);
    }

    pub(super) fn is_quick(&self) -> bool {
        self.doors.is_quick()
    }

    /// Whether the heap becomes tracked when the engine does. The engine's private one does not.
    pub(super) fn follows_mode(&self) -> bool {
        self.follows_mode.get()
    }

    pub(super) fn ignore_mode(&self) {
        self.follows_mode.set(false);
    }

    /// Marks the heap as being inside a cold path until the guard drops. `None`: it already is,
    /// so the caller runs in a signal handler on top of it.
    pub(super) fn enter(&self) -> Option<Busy<'_>> {
        self.doors.enter()
    }

    /// Whether the heap is quick and its thread not in code of ours; if so it is marked as being
    /// inside a cold path, until [`Self::leave_tracked`].
    #[inline(always)]
    pub(super) fn enter_tracked(&self) -> bool {
        self.doors.enter_short()
    }

    /// Ends what [`Self::enter_tracked`] has begun.
    #[inline(always)]
    pub(super) fn leave_tracked(&self) {
        self.doors.leave();
    }

    /// As [`Self::enter`], if the heap is a running thread's, untracked, and its thread not in code
    /// of ours.
    #[inline(always)]
    pub(super) fn enter_plain(&self) -> Option<Busy<'_>> {
        if self.tracked.get() || !self.is_usable() { None } else { self.doors.enter_watched() }
    }

    /// As [`Self::enter`], if the heap is watched and its thread not in code of ours.
    #[inline(always)]
    pub(super) fn enter_watched(&self) -> Option<Busy<'_>> {
        if self.tracked.get() { self.doors.enter_watched() } else { None }
    }

    /// Whether the thread is inside a cold path.
    pub(crate) fn is_busy(&self) -> bool {
        self.doors.is_busy()
    }

    /// Whether the thread is inside the observer, or in code of ours that must not observe itself.
    #[inline]
    pub(crate) fn is_observing(&self) -> bool {
        self.doors.is_observing()
    }

    /// Sets [`Self::is_observing`]; the value before.
    pub(crate) fn set_observing(&self, observing: bool) -> bool {
        self.doors.set_observing(observing)
    }

    pub(super) fn all_queues(&self) -> impl Iterator<Item = &Queue> {
        self.queues.iter().chain([&self.sampled])
    }

    /// The queue for a slab of this heap that has room; `None`: it serves no more blocks.
    pub(super) fn queue_of(&self, slab: &Slab) -> Option<&Queue> {
        match (slab.is_tracked(), self.is_tracked()) {
            (true, true) | (false, false) => Some(self.queue(slab.class())),
            (true, false) => self.sample_left().map(|_| &self.sampled),
            (false, true) => None,
        }
    }

    pub(super) fn sampled(&self) -> &Queue {
        &self.sampled
    }

    /// Bytes until the next sample; `None`: none are taken.
    #[inline]
    pub(super) fn sample_left(&self) -> Option<u64> {
        let left = self.sample_left.get();
        (left != NO_SAMPLES).then_some(left)
    }

    pub(super) fn set_sample_left(&self, left: Option<u64>) {
        self.sample_left.set(left.unwrap_or(NO_SAMPLES));
    }

    pub(super) fn is_sample_due(&self, class: ClassId) -> bool {
        self.samples_due.get() >> class.index() & 1 == 1
    }

    /// The next block of the class was drawn.
    pub(super) fn set_drawn(&self, class: ClassId) {
        let bit = 1u128 << class.index();
        self.drawn.set(self.drawn.get() | bit);
        self.samples_due.set(self.samples_due.get() | bit);
    }

    /// Whether the block of the class that is due was drawn. After that only `looked_at` are due,
    /// and what else was drawn.
    pub(super) fn take_drawn(&self, class: ClassId, looked_at: u128) -> bool {
        let bit = 1u128 << class.index();
        let drawn = self.drawn.get();
        self.drawn.set(drawn & !bit);
        self.samples_due.set(drawn & !bit | looked_at);
        drawn & bit != 0
    }

    /// These classes are due for a look.
    pub(super) fn add_samples_due(&self, classes: u128) {
        self.samples_due.set(self.samples_due.get() | classes);
    }

    /// Hands a run of `count` blocks out, if no sample is in it: there are `left` bytes until the
    /// next. Whether that is so.
    #[inline]
    pub(super) fn pass_run(&self, left: u64, slab: &Slab, count: u32) -> bool {
        let len = u64::from(count) * slab.block_size() as u64;
        let is_free = left >= len;
        if is_free {
            self.sample_left.set(left - len);
        }
        is_free
    }

    pub(super) fn set_picked(&self, picked: bool) {
        self.picked.set(picked);
    }

    /// Whether a block that was drawn has got a guard since the last call.
    pub(super) fn take_picked(&self) -> bool {
        self.picked.replace(false)
    }

    pub(super) fn forget_samples_due(&self) {
        self.samples_due.set(0);
        self.drawn.set(0);
    }

    /// A random number, from a sequence of this heap's own (SplitMix64, Steele et al. 2014).
    pub(crate) fn random(&self) -> u64 {
        if self.random.get() == 0 {
            self.random.set(process::random_word() as u64 | 1);
        }
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// What the observer keeps for this heap; null at first. It stays with the heap for ever.
    #[inline]
    pub(crate) fn companion(&self) -> *mut u8 {
        self.companion.load(Ordering::Acquire)
    }

    pub(crate) fn set_companion(&self, companion: *mut u8) {
        self.companion.store(companion, Ordering::Release);
    }

    // --- Life ---

    /// Counts the rounds of thread-exit destructors; how many there were before this one.
    pub(crate) fn next_exit_round(&self) -> u8 {
        self.exit_rounds.replace(self.exit_rounds.get().saturating_add(1))
    }

    pub(crate) fn state(&self) -> State {
        match self.state.load(Ordering::Relaxed) {
            1 => State::Ended,
            2 => State::Running,
            3 => State::Orphan,
            4 => State::Shared,
            5 => State::Lost,
            _ => State::Placeholder,
        }
    }

    /// Whether the heap has a user, who may be the caller: it is neither a sentinel nor an orphan.
    #[inline]
    pub(super) fn is_usable(&self) -> bool {
        matches!(self.state(), State::Running | State::Shared)
    }

    pub(super) fn set_state(&self, state: State) {
        self.exit_rounds.set(0);
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Kernel id of the thread that uses the heap.
    pub(crate) fn thread(&self) -> u32 {
        self.thread.load(Ordering::Relaxed)
    }

    pub(super) fn set_thread(&self, thread: u32) {
        self.thread.store(thread, Ordering::Relaxed);
    }
}
