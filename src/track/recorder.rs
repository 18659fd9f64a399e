//! A heap's recorder: the counters that its thread alone writes.
//!
//! Counting must not make threads wait for each other, so every heap has its own set: a *shard* of
//! sums by size class, and *cells* by call site, made as sites are used. The values of the process
//! are sums over all recorders. A heap keeps its recorder when another thread takes it over.
//!
//! The one thing that threads share is how much is in use in all, for the peak. Each adds its
//! changes to it after [`super::slack::SLACK_BYTES`], and compares with the peak what others have
//! added plus all of its own: exact with one thread, and otherwise off by at most that much for
//! each other thread.

use super::SiteId;
use super::cells::{Now, SiteCounters, add};
use super::columns::{Record, Stamp};
use super::event::{Event, TEMPORARY, life_of};
use super::ledger::Ledger;
use super::moment::SiteSums;
use super::slack::Slack;
use super::timeline;
use crate::base::sync::{AtomicI64, AtomicPtr, AtomicU32, Ordering};
use crate::format::layout::{CHUNK_CELLS, CLASSES, Cell as SiteCell, Chunk, Shard, Shared};
use crate::os::{clock, memory, process};
use crate::unwind::StackCache;
use core::cell::Cell;
use core::ptr::NonNull;

/// See the module. Lives in pages of its own, for ever.
#[derive(Debug)]
#[repr(C)]
pub(crate) struct Recorder {
    shard: *const Shard,
    shared: *const Shared,
    /// The block allocated last, if it has not been freed.
    pub(super) last: Cell<usize>,
    /// What is not in [`Shared`] yet.
    pub(super) slack: Slack,
    /// The stamp of what this thread allocates, at time zero.
    pub(super) stamp: Cell<Stamp>,
    /// Searches for leaks are to ignore what the thread allocates.
    is_ignoring: Cell<bool>,
    /// The last stack that was found to be a site; zero: none.
    pub(super) stack_known: Cell<u32>,
    pub(super) site_known: Cell<SiteId>,
    /// Its counters; null as long as there are none, or the thread is not in the ledger.
    pub(super) cell_known: Cell<*const SiteCell>,
    /// The thread's number in the ledger plus one; zero: not entered yet.
    thread: Cell<u32>,
    /// Number of the shard plus one, as chunks name it.
    shard_name: u32,
    groups: AtomicU32,
    pub(super) stack: StackCache,
    /// By site number over [`CHUNK_CELLS`].
    directory: [AtomicPtr<Chunk>; 0],
}

impl Recorder {
    /// A new recorder with a shard of its own. `None`: no room.
    pub(super) fn make(ledger: &Ledger) -> Option<NonNull<Self>> {
        let groups = ledger.sites.capacity().div_ceil(CHUNK_CELLS as u32);
        let len = len_with(groups);
        let number = {
            let _lock = ledger.lock().acquire()?;
            ledger.shards.append(|_| ())?
        };
        let recorder = memory::map_zeroed(len)?.cast::<Self>();
        let shard: *const Shard = ledger.shards.get(number)?;
        let shared: *const Shared = &raw const ledger.header()?.shared;
        // SAFETY: the pages are fresh and large enough; all-zero is a recorder without chunks, but
        // for the number of a site, which must not be zero.
        unsafe {
            (&raw mut (*recorder.as_ptr()).shard).write(shard);
            (&raw mut (*recorder.as_ptr()).shared).write(shared);
            (&raw mut (*recorder.as_ptr()).shard_name).write(number + 1);
            (&raw mut (*recorder.as_ptr()).site_known).write(Cell::new(SiteId::UNKNOWN));
            recorder.as_ref().groups.store(groups, Ordering::Relaxed);
        }
        Some(recorder)
    }

    /// Visits what is mapped for this recorder: start and length.
    pub(super) fn for_each_mapping(&self, visit: &mut dyn FnMut(usize, usize)) {
        visit(core::ptr::from_ref(self) as usize, len_with(self.groups.load(Ordering::Relaxed)));
        self.stack.mapping().into_iter().for_each(|(start, len)| visit(start, len));
    }

    #[inline(always)]
    pub(super) fn shard(&self) -> &Shard {
        // SAFETY: set by `make`, in the ledger, for ever.
        unsafe { &*self.shard }
    }

    #[inline(always)]
    fn shared(&self) -> &Shared {
        // SAFETY: as above.
        unsafe { &*self.shared }
    }

    /// The counters of a site; `None` when there is no room for any.
    #[inline(always)]
    pub(super) fn counters<'a>(
        &self,
        ledger: &'a Ledger,
        site: SiteId,
    ) -> Option<SiteCounters<'a>> {
        let (group, index) =
            (site.number() / CHUNK_CELLS as u32, site.number() as usize % CHUNK_CELLS);
        let slot = self.directory_slot(group);
        // SAFETY: null, or a chunk of the ledger, for ever.
        let chunk = match unsafe { slot.load(Ordering::Relaxed).as_ref() } {
            Some(chunk) => chunk,
            None => self.new_chunk(ledger, group, slot)?,
        };
        Some(SiteCounters::of(ledger, chunk, index))
    }

    #[inline(always)]
    fn now(&self) -> Now {
        Now { clock: self.clock(), peak_epoch: self.peak_epoch() }
    }

    #[cold]
    fn new_chunk<'a>(
        &self,
        ledger: &'a Ledger,
        group: u32,
        slot: &AtomicPtr<Chunk>,
    ) -> Option<&'a Chunk> {
        let _lock = ledger.lock().acquire()?;
        let number = ledger.chunks.append(|chunk| {
            chunk.shard.store(self.shard_name, Ordering::Relaxed);
            chunk.first_site.store(group * CHUNK_CELLS as u32, Ordering::Relaxed);
        })?;
        let chunk = ledger.chunks.get(number)?;
        slot.store(core::ptr::from_ref(chunk).cast_mut(), Ordering::Relaxed);
        Some(chunk)
    }

    /// How many peaks the process has had.
    #[inline(always)]
    pub(super) fn peak_epoch(&self) -> u32 {
        self.shared().peak_epoch.load(Ordering::Relaxed)
    }

    /// Counts a block that was handed out.
    #[inline(always)]
    pub(super) fn allocated(
        &self,
        ledger: &Ledger,
        event: &Event,
        counters: Option<SiteCounters<'_>>,
    ) {
        self.last.set(event.block);
        let class = &self.shard().classes[event.class % CLASSES];
        add(&class.allocations, event.weight);
        add(&class.bytes, event.bytes());
        if let Some(counters) = counters {
            counters.allocated(event, self.now());
        }
        if self.slack.allocate(event.bytes(), event.weight) {
            self.raise_peaks(ledger);
        }
    }

    /// Counts a block that was freed; `record` is what was recorded of it.
    #[inline(always)]
    pub(super) fn freed(&self, ledger: &Ledger, event: &Event, record: Record) {
        let class = &self.shard().classes[event.class % CLASSES];
        add(&class.frees, event.weight);
        add(&class.freed_bytes, event.bytes());
        let life = if self.last.get() == event.block && self.is_own(record) {
            self.last.set(0);
            add(&self.shard().temporary, event.weight);
            TEMPORARY
        } else {
            life_of(record.stamp.age(self.clock()))
        };
        if let Some(counters) = self.counters(ledger, record.site) {
            counters.freed(event, life, self.now());
        }
        if self.slack.free(event.bytes(), event.weight) {
            self.publish(ledger);
        }
    }

    /// Whether this thread, as it is now, has allocated a block.
    #[inline(always)]
    pub(super) fn is_own(&self, record: Record) -> bool {
        record.stamp.thread() == self.stamp.get().thread()
    }

    /// The block allocated last, if it has not been freed; zero: none.
    #[inline(always)]
    pub(super) fn last(&self) -> usize {
        self.last.get()
    }

    /// Sets [`Self::last`]; what it was.
    pub(super) fn replace_last(&self, block: usize) -> usize {
        self.last.replace(block)
    }

    /// Counts a block that was resized, beside freeing and allocating it.
    pub(super) fn resized(&self, ledger: &Ledger, site: SiteId) {
        add(&self.shard().reallocations, 1);
        if let Some(counters) = self.counters(ledger, site) {
            counters.resized();
        }
    }

    /// More is in use than ever, as far as this thread knows, or it has kept enough to itself.
    #[cold]
    #[inline(never)]
    fn raise_peaks(&self, ledger: &Ledger) {
        let shared = self.shared();
        let total = shared.bytes.load(Ordering::Relaxed) + self.slack.bytes();
        if total > shared.peak_bytes.load(Ordering::Relaxed) {
            shared.peak_bytes.fetch_max(total, Ordering::Relaxed);
            shared.peak_epoch.fetch_add(1, Ordering::Relaxed);
            shared.peak_clock.store(self.clock(), Ordering::Relaxed);
        }
        let total = shared.blocks.load(Ordering::Relaxed) + self.slack.blocks();
        if total > shared.peak_blocks.load(Ordering::Relaxed) {
            shared.peak_blocks.fetch_max(total, Ordering::Relaxed);
        }
        if self.slack.is_due() { self.publish(ledger) } else { self.set_room() }
    }

    /// Room between what all know to be in use and the peaks.
    fn set_room(&self) {
        let shared = self.shared();
        let room = |peak: &AtomicI64, now: &AtomicI64| {
            peak.load(Ordering::Relaxed) - now.load(Ordering::Relaxed)
        };
        let bytes = room(&shared.peak_bytes, &shared.bytes);
        self.slack.set_room(bytes, room(&shared.peak_blocks, &shared.blocks));
    }

    /// The allocation clock, as this thread knows it.
    #[inline(always)]
    pub(super) fn clock(&self) -> u64 {
        self.slack.clock()
    }

    /// Puts the clock forward.
    pub(super) fn advance_clock(&self, clock: u64) {
        self.slack.advance_clock(clock);
    }

    /// Adds what this thread has kept to itself to what all know, and looks at the time.
    #[cold]
    #[inline(never)]
    pub(super) fn publish(&self, ledger: &Ledger) {
        let (shared, news) = (self.shared(), self.slack.take());
        shared.bytes.fetch_add(news.bytes, Ordering::Relaxed);
        shared.blocks.fetch_add(news.blocks, Ordering::Relaxed);
        let clock = shared.clock.fetch_add(news.ticked, Ordering::Relaxed) + news.ticked;
        self.slack.set_clock(clock);
        self.set_room();
        timeline::record_if_due(ledger, clock);
    }

    // --- The thread ---

    /// Whether the thread is in the ledger.
    #[inline(always)]
    pub(super) fn is_entered(&self) -> bool {
        self.thread.get() != 0
    }

    /// The calling thread's number in the ledger, entered at its first event.
    #[inline(always)]
    pub(super) fn thread(&self, ledger: &Ledger, id: u32) -> u32 {
        let known = self.thread.get();
        if known != 0 { known - 1 } else { self.enter(ledger, id) }
    }

    /// The stamp of what the calling thread allocates now.
    #[inline(always)]
    pub(super) fn stamp(&self, ledger: &Ledger, id: u32) -> Stamp {
        if self.thread.get() == 0 {
            self.enter(ledger, id);
        }
        self.stamp.get().at(self.clock())
    }

    /// Whether searches for leaks are to ignore what the thread allocates from now on.
    pub(super) fn set_ignoring(&self, is_ignoring: bool) {
        self.is_ignoring.set(is_ignoring);
        self.renew_stamp();
    }

    fn renew_stamp(&self) {
        let number = self.thread.get().saturating_sub(1);
        self.stamp.set(Stamp::new(number, 0).ignored_if(self.is_ignoring.get()));
    }

    #[cold]
    #[inline(never)]
    fn enter(&self, ledger: &Ledger, id: u32) -> u32 {
        let number = ledger.lock().acquire().and_then(|_lock| {
            ledger.threads.append(|thread| {
                thread.id.store(id, Ordering::Relaxed);
                thread.shard.store(self.shard_name - 1, Ordering::Relaxed);
                set_name(thread);
                thread.started_tick.store(clock::ticks(), Ordering::Relaxed);
                self.sum_into(&thread.first);
            })
        });
        let number = number.unwrap_or(0);
        self.shard().thread.store(number, Ordering::Relaxed);
        self.thread.set(number + 1);
        self.renew_stamp();
        number
    }

    /// The thread that wrote here has ended, or is now another one's copy in a forked child.
    pub(super) fn leave(&self, ledger: &Ledger) {
        let number = self.thread.replace(0).saturating_sub(1);
        self.cell_known.set(core::ptr::null());
        self.last.set(0);
        self.set_ignoring(false);
        if let Some(thread) = ledger.threads.get(number).filter(|_| number != 0) {
            set_name(thread);
            self.sum_into(&thread.last);
            thread.ended_tick.store(clock::ticks().max(1), Ordering::Release);
        }
        self.shard().thread.store(0, Ordering::Relaxed);
    }

    /// In a forked child, whose ledger is empty.
    pub(super) fn begin_anew(&self) {
        self.thread.set(0);
        self.renew_stamp();
        self.last.set(0);
        self.cell_known.set(core::ptr::null());
        self.slack.reset();
        self.set_room();
        for group in 0..self.groups.load(Ordering::Relaxed) {
            self.directory_slot(group).store(core::ptr::null_mut(), Ordering::Relaxed);
        }
    }

    /// Visits the sites that were ever allocated at.
    pub(super) fn for_each_site(&self, ledger: &Ledger, mut visit: impl FnMut(SiteId, SiteSums)) {
        for group in 0..ledger.sites.len().div_ceil(CHUNK_CELLS as u32) {
            // SAFETY: null, or a chunk of the ledger, for ever.
            let chunk = unsafe { self.directory_slot(group).load(Ordering::Relaxed).as_ref() };
            let Some(chunk) = chunk else { continue };
            for index in 0..CHUNK_CELLS {
                let sums = SiteCounters::of(ledger, chunk, index).sums();
                let site = SiteId::from_number(group * CHUNK_CELLS as u32 + index as u32);
                if let Some(site) = site.filter(|_| sums != SiteSums::default()) {
                    visit(site, sums);
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn directory_slot(&self, group: u32) -> &AtomicPtr<Chunk> {
        debug_assert!(group < self.groups.load(Ordering::Relaxed));
        // SAFETY: `make` allocated as many pointers behind the recorder as all sites that the
        // ledger has room for need, and sites are numbered by the ledger.
        unsafe { &*self.directory.as_ptr().add(group as usize) }
    }

    fn sum_into(&self, sums: &crate::format::layout::Sums) {
        for class in &self.shard().classes {
            add(&sums.allocations, class.allocations.load(Ordering::Relaxed));
            add(&sums.bytes, class.bytes.load(Ordering::Relaxed));
            add(&sums.frees, class.frees.load(Ordering::Relaxed));
            add(&sums.freed_bytes, class.freed_bytes.load(Ordering::Relaxed));
        }
    }
}

/// Bytes mapped for a recorder with so many chunks.
fn len_with(groups: u32) -> usize {
    let len = size_of::<Recorder>() + groups as usize * size_of::<AtomicPtr<Chunk>>();
    len.next_multiple_of(memory::PAGE)
}

fn set_name(thread: &crate::format::layout::Thread) {
    let name = process::thread_name();
    for (word, bytes) in thread.name.iter().zip(name.chunks_exact(4)) {
        let four = [bytes[0], bytes[1], bytes[2], bytes[3]];
        word.store(u32::from_le_bytes(four), Ordering::Relaxed);
    }
}
