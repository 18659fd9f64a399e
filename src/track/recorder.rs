//! A heap's recorder: the counters that its thread alone writes.
//!
//! Counting must not make threads wait for each other, so every heap has its own set: a *shard* of
//! sums by size class, and *cells* by call site, made as sites are used. The values of the process
//! are sums over all recorders. A heap keeps its recorder when another thread takes it over.
//!
//! The one thing that threads share is how much is in use in all, for the peak. Each adds its
//! changes to it every [`SLACK_BYTES`], and compares with the peak what others have added plus all
//! of its own: exact with one thread, and otherwise off by at most that much for each other thread.

use super::SiteId;
use super::cells::{Now, SiteCounters, add};
use super::columns::Record;
use super::event::{Event, TEMPORARY, life_of};
use super::ledger::Ledger;
use super::moment::SiteSums;
use super::timeline;
use crate::base::sync::{AtomicI64, AtomicPtr, AtomicU32, Ordering};
use crate::format::layout::{CHUNK_CELLS, Chunk, Shard, Shared};
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
    last: Cell<usize>,
    /// The allocation clock, as this thread knows it; and what it was when all were told.
    clock: Cell<u64>,
    clock_told: Cell<u64>,
    /// Changes of what is in use that are not in [`Shared`] yet.
    slack_bytes: Cell<i64>,
    slack_blocks: Cell<i64>,
    /// Slack that would make a new peak.
    gate_bytes: Cell<i64>,
    gate_blocks: Cell<i64>,
    /// How much more may change before all are told.
    fuel: Cell<i64>,
    /// The thread's number in the ledger plus one; zero: not entered yet.
    thread: Cell<u32>,
    /// Searches for leaks are to ignore what the thread allocates.
    pub(super) ignoring: Cell<bool>,
    /// Number of the shard plus one, as chunks name it.
    shard_name: u32,
    groups: AtomicU32,
    pub(super) stack: StackCache,
    /// By site number over [`CHUNK_CELLS`].
    directory: [AtomicPtr<Chunk>; 0],
}

/// Bytes that may change hands before a thread tells the others.
pub(crate) const SLACK_BYTES: i64 = 64 << 10;
/// A block counts for so many bytes at least: a thread tells the others every 1024 blocks.
const BLOCK_FUEL: i64 = 64;

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
        // SAFETY: the pages are fresh and large enough; all-zero is a recorder without chunks.
        unsafe {
            (&raw mut (*recorder.as_ptr()).shard).write(shard);
            (&raw mut (*recorder.as_ptr()).shared).write(shared);
            (&raw mut (*recorder.as_ptr()).shard_name).write(number + 1);
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
        Some(SiteCounters { ledger, chunk, cell: &chunk.cells[index], index })
    }

    /// The counters that a block counts in: those of its own site, or of the unknown one where
    /// that has no room.
    #[inline(always)]
    pub(super) fn counters_with_room<'a>(
        &self,
        ledger: &'a Ledger,
        site: SiteId,
    ) -> (SiteId, Option<SiteCounters<'a>>) {
        match self.counters(ledger, site) {
            Some(counters) => (site, Some(counters)),
            None => (SiteId::UNKNOWN, self.counters(ledger, SiteId::UNKNOWN)),
        }
    }

    #[inline(always)]
    fn now(&self) -> Now {
        let peak_epoch = self.shared().peak_epoch.load(Ordering::Relaxed);
        Now { clock: self.clock.get(), peak_epoch }
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

    /// Counts a block that was handed out.
    #[inline(always)]
    pub(super) fn allocated(
        &self,
        ledger: &Ledger,
        event: &Event,
        counters: Option<SiteCounters<'_>>,
    ) {
        self.last.set(event.address);
        let class = &self.shard().classes[event.class];
        add(&class.allocations, event.weight);
        add(&class.bytes, event.bytes());
        if let Some(counters) = counters {
            counters.allocated(event, self.now());
        }
        self.clock.set(self.clock.get() + event.bytes());
        self.slack_bytes.set(self.slack_bytes.get() + event.bytes().cast_signed());
        self.slack_blocks.set(self.slack_blocks.get() + event.weight.cast_signed());
        if self.slack_bytes.get() > self.gate_bytes.get()
            || self.slack_blocks.get() > self.gate_blocks.get()
        {
            self.raise_peaks();
        }
        self.burn(ledger, event);
    }

    /// Counts a block that was freed; `record` is what was recorded of it.
    #[inline(always)]
    pub(super) fn freed(&self, ledger: &Ledger, event: &Event, record: Record) {
        let born = record.stamp;
        let class = &self.shard().classes[event.class];
        add(&class.frees, event.weight);
        add(&class.freed_bytes, event.bytes());
        let is_temporary = self.last.get() == event.address && born.thread() == self.number();
        if let Some(counters) = self.counters(ledger, record.site) {
            let life = if is_temporary { TEMPORARY } else { life_of(born.age(self.clock.get())) };
            counters.freed(event, life, self.now());
        }
        if is_temporary {
            self.last.set(0);
            add(&self.shard().temporary, event.weight);
        }
        self.slack_bytes.set(self.slack_bytes.get() - event.bytes().cast_signed());
        self.slack_blocks.set(self.slack_blocks.get() - event.weight.cast_signed());
        self.burn(ledger, event);
    }

    /// Counts a block that was resized, beside freeing and allocating it.
    pub(super) fn resized(&self, ledger: &Ledger, site: SiteId) {
        add(&self.shard().reallocations, 1);
        if let Some(counters) = self.counters(ledger, site) {
            counters.resized();
        }
    }

    /// More is in use than ever, as far as this thread knows.
    fn raise_peaks(&self) {
        let shared = self.shared();
        let total = shared.bytes.load(Ordering::Relaxed) + self.slack_bytes.get();
        if total > shared.peak_bytes.load(Ordering::Relaxed) {
            shared.peak_bytes.fetch_max(total, Ordering::Relaxed);
            shared.peak_epoch.fetch_add(1, Ordering::Relaxed);
            shared.peak_clock.store(self.clock.get(), Ordering::Relaxed);
        }
        let total = shared.blocks.load(Ordering::Relaxed) + self.slack_blocks.get();
        if total > shared.peak_blocks.load(Ordering::Relaxed) {
            shared.peak_blocks.fetch_max(total, Ordering::Relaxed);
        }
        self.set_gates();
    }

    /// Room between what is in use and the peaks.
    fn set_gates(&self) {
        let shared = self.shared();
        let room = |peak: &AtomicI64, now: &AtomicI64| {
            peak.load(Ordering::Relaxed) - now.load(Ordering::Relaxed)
        };
        self.gate_bytes.set(room(&shared.peak_bytes, &shared.bytes));
        self.gate_blocks.set(room(&shared.peak_blocks, &shared.blocks));
    }

    /// The allocation clock, as this thread knows it.
    #[inline(always)]
    pub(super) fn clock(&self) -> u64 {
        self.clock.get()
    }

    /// Puts the clock forward.
    pub(super) fn set_clock(&self, clock: u64) {
        self.clock.set(clock);
    }

    #[inline(always)]
    fn burn(&self, ledger: &Ledger, event: &Event) {
        let fuel = self.fuel.get() - event.bytes().cast_signed() - BLOCK_FUEL;
        self.fuel.set(fuel);
        if fuel < 0 {
            self.publish(ledger);
        }
    }

    /// Adds what this thread has kept to itself to what all know, and looks at the time.
    #[cold]
    pub(super) fn publish(&self, ledger: &Ledger) {
        let shared = self.shared();
        shared.bytes.fetch_add(self.slack_bytes.replace(0), Ordering::Relaxed);
        shared.blocks.fetch_add(self.slack_blocks.replace(0), Ordering::Relaxed);
        let ticked = self.clock.get() - self.clock_told.get();
        let clock = shared.clock.fetch_add(ticked, Ordering::Relaxed) + ticked;
        self.clock.set(clock);
        self.clock_told.set(clock);
        self.set_gates();
        self.fuel.set(SLACK_BYTES);
        timeline::record_if_due(ledger, clock);
    }

    // --- The thread ---

    #[inline]
    fn number(&self) -> u32 {
        self.thread.get().wrapping_sub(1)
    }

    /// The calling thread's number in the ledger, entered at its first event.
    #[inline]
    pub(super) fn thread(&self, ledger: &Ledger, id: u32) -> u32 {
        let known = self.thread.get();
        if known != 0 { known - 1 } else { self.enter(ledger, id) }
    }

    #[cold]
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
        number
    }

    /// The thread that wrote here has ended, or is now another one's copy in a forked child.
    pub(super) fn leave(&self, ledger: &Ledger) {
        let number = self.thread.replace(0).saturating_sub(1);
        self.last.set(0);
        self.ignoring.set(false);
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
        self.last.set(0);
        for told in [&self.clock, &self.clock_told] {
            told.set(0);
        }
        for slack in [&self.slack_bytes, &self.slack_blocks, &self.fuel] {
            slack.set(0);
        }
        self.set_gates();
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
            for (index, cell) in chunk.cells.iter().enumerate() {
                let sums = SiteCounters { ledger, chunk, cell, index }.sums();
                let site = SiteId::from_number(group * CHUNK_CELLS as u32 + index as u32);
                if let Some(site) = site.filter(|_| sums != SiteSums::default()) {
                    visit(site, sums);
                }
            }
        }
    }

    #[inline(always)]
    fn directory_slot(&self, group: u32) -> &AtomicPtr<Chunk> {
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
