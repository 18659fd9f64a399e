//! The ledger in memory: sections of records that only grow.
//!
//! The layout is that of [`crate::format::layout`], in pages of this process or in a file that is
//! shared with readers. It is opened once, before anything is tracked; a fork gives the child pages
//! of its own at the same addresses, so that references stay good.

use crate::base::sync::{AtomicPtr, AtomicU32, AtomicU64, Ordering};
use crate::format::layout::{
    self, Chunk, Event, Frame, HEADER_LEN, Header, Module, Node, Point, SECTION_ALIGN, SECTIONS,
    Section, SectionId, Shard, Site, Text, Thread,
};
use crate::os::lock::Lock;
use crate::os::{clock, memory};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};

/// The mapped ledger, once there is one.
#[derive(Debug)]
pub(crate) struct Ledger {
    header: AtomicPtr<Header>,
    /// The monotonic clock when the ledger was opened.
    nanoseconds_zero: AtomicU64,
    pub(crate) frames: Table<Frame>,
    pub(crate) nodes: Table<Node>,
    pub(crate) sites: Table<Site>,
    pub(crate) modules: Table<Module>,
    pub(crate) threads: Table<Thread>,
    pub(crate) shards: Table<Shard>,
    pub(crate) chunks: Table<Chunk>,
    pub(crate) points: Table<Point>,
    pub(crate) events: Table<Event>,
    strings: Table<u8>,
    /// Held while a record is appended.
    lock: Lock,
}

/// A section of records of type `T`.
#[derive(Debug)]
pub(crate) struct Table<T> {
    section: AtomicPtr<Section>,
    first: AtomicPtr<u8>,
    capacity: AtomicU32,
    records: PhantomData<fn() -> T>,
}

/// What a section gets of the ledger's length, in parts of [`SHARES`]; the chunks get the rest.
const fn share_of(section: usize) -> usize {
    const { assert!(SectionId::Chunks as usize == 7 && SECTIONS == 10) };
    [4, 1, 16, 64, 8, 2, 16, 0, 1, 1][section]
}

const SHARES: usize = 256;
/// Points of the timeline and events are few, whatever the length.
const POINTS_MAX: usize = 4096;

const fn stride_of(section: usize) -> usize {
    [
        1,
        size_of::<Module>(),
        size_of::<Frame>(),
        size_of::<Node>(),
        size_of::<Site>(),
        size_of::<Thread>(),
        size_of::<Shard>(),
        size_of::<Chunk>(),
        size_of::<Point>(),
        size_of::<Event>(),
    ][section]
}

impl<T> Table<T> {
    const fn new() -> Self {
        Self {
            section: AtomicPtr::new(ptr::null_mut()),
            first: AtomicPtr::new(ptr::null_mut()),
            capacity: AtomicU32::new(0),
            records: PhantomData,
        }
    }

    fn open(&self, section: &Section, first: *mut u8) {
        self.section.store(ptr::from_ref(section).cast_mut(), Ordering::Relaxed);
        self.first.store(first, Ordering::Relaxed);
        self.capacity.store(section.capacity.load(Ordering::Relaxed), Ordering::Release);
    }

    fn section(&self) -> Option<&Section> {
        // SAFETY: null, or in the header, which is never unmapped.
        unsafe { self.section.load(Ordering::Relaxed).as_ref() }
    }

    /// A record, complete or not; `None` beyond the capacity.
    #[inline(always)]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        if number >= self.capacity.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the section has room for `capacity` records, aligned, valid when all zero; all
        // their fields are atomic.
        Some(unsafe { &*self.first.load(Ordering::Relaxed).cast::<T>().add(number as usize) })
    }

    /// Most records there can be.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity.load(Ordering::Acquire)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// Complete records.
    pub(crate) fn len(&self) -> u32 {
        self.section().map_or(0, |section| section.count.load(Ordering::Acquire))
    }

    /// Appends a record. The ledger's lock is held. `None`: no room, which is counted.
    pub(crate) fn append(&self, fill: impl FnOnce(&T)) -> Option<u32> {
        let section = self.section()?;
        let number = section.count.load(Ordering::Relaxed);
        let Some(record) = self.get(number) else {
            section.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        fill(record);
        // Release: whoever sees the count sees the record.
        section.count.store(number + 1, Ordering::Release);
        Some(number)
    }

    /// Forgets all records, which are rewritten from the first on. The ledger's lock is held.
    pub(crate) fn truncate(&self, count: u32) {
        if let Some(section) = self.section() {
            section.count.store(count, Ordering::Release);
        }
    }
}

impl Ledger {
    pub(super) const fn new() -> Self {
        Self {
            header: AtomicPtr::new(ptr::null_mut()),
            nanoseconds_zero: AtomicU64::new(0),
            frames: Table::new(),
            nodes: Table::new(),
            sites: Table::new(),
            modules: Table::new(),
            threads: Table::new(),
            shards: Table::new(),
            chunks: Table::new(),
            points: Table::new(),
            events: Table::new(),
            strings: Table::new(),
            lock: Lock::new(),
        }
    }

    /// The header; `None` until the ledger is open.
    #[inline(always)]
    pub(crate) fn header(&self) -> Option<&Header> {
        // SAFETY: null, or a header that is never unmapped.
        unsafe { self.header.load(Ordering::Acquire).as_ref() }
    }

    pub(crate) fn lock(&self) -> &Lock {
        &self.lock
    }

    /// Lays a ledger out in fresh pages, zeroed, `len` bytes long, that are never unmapped.
    pub(crate) fn open(&self, pages: NonNull<u8>, len: usize) {
        let header = pages.cast::<Header>();
        // SAFETY: zeroed pages are a valid header: all fields are atomic numbers or bytes.
        let header = unsafe { header.as_ref() };
        lay_out(header, len);
        let first = |id: SectionId| {
            let section = &header.sections[id as usize];
            let offset = section.offset.load(Ordering::Relaxed) as usize;
            // SAFETY: `lay_out` placed the section inside the pages.
            (section, unsafe { pages.as_ptr().add(offset) })
        };
        macro_rules! open {
            ($($table:ident: $id:ident,)*) => {
                $(let (section, start) = first(SectionId::$id); self.$table.open(section, start);)*
            };
        }
        open! {
            strings: Strings, modules: Modules, frames: Frames, nodes: Nodes, sites: Sites,
            threads: Threads, shards: Shards, chunks: Chunks, points: Timeline, events: Events,
        }
        // The numbers that stand for "none", "unknown" and "the others".
        for (count, reserved) in [
            (&self.frames.section, 1),
            (&self.nodes.section, 1),
            (&self.sites.section, super::SiteId::FIRST),
            (&self.threads.section, 1),
        ] {
            // SAFETY: opened above.
            unsafe { &*count.load(Ordering::Relaxed) }.count.store(reserved, Ordering::Relaxed);
        }
        self.start_clock(header);
        self.header.store(ptr::from_ref(header).cast_mut(), Ordering::Release);
    }

    fn start_clock(&self, header: &Header) {
        header.tick_zero.store(clock::ticks(), Ordering::Relaxed);
        self.nanoseconds_zero.store(clock::monotonic_ns(), Ordering::Relaxed);
        header.started_unix_ns.store(clock::wall_ns(), Ordering::Relaxed);
    }

    /// Reads both clocks, from which readers learn how long a tick is.
    pub(crate) fn adjust_clock(&self) {
        let Some(header) = self.header() else { return };
        let passed = clock::monotonic_ns() - self.nanoseconds_zero.load(Ordering::Relaxed);
        header.tick_later.store(clock::ticks(), Ordering::Relaxed);
        header.nanoseconds_later.store(passed, Ordering::Relaxed);
    }

    /// Keeps a text; where it is. The lock is held. Empty when there is no room.
    pub(crate) fn keep(&self, text: &[u8], place: &Text) {
        let Some(section) = self.strings.section() else { return };
        let at = section.count.load(Ordering::Relaxed);
        let len = u32::try_from(text.len()).unwrap_or(u32::MAX);
        let end = at.checked_add(len);
        let Some(end) = end.filter(|end| *end <= self.strings.capacity.load(Ordering::Relaxed))
        else {
            section.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let start = self.strings.first.load(Ordering::Relaxed).wrapping_add(at as usize);
        // SAFETY: the range is inside the section and has never been used; the lock is held.
        unsafe { start.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        place.offset.store(at, Ordering::Relaxed);
        place.len.store(len, Ordering::Relaxed);
        section.count.store(end, Ordering::Release);
    }

    /// The bytes of a text that was kept.
    pub(crate) fn text(&self, place: &Text) -> &[u8] {
        let (at, len) = (place.offset.load(Ordering::Relaxed), place.len.load(Ordering::Relaxed));
        let start = self.strings.first.load(Ordering::Relaxed).wrapping_add(at as usize);
        if len == 0 || start.is_null() {
            return &[];
        }
        // SAFETY: `keep` put that many bytes there, and texts never change.
        unsafe { core::slice::from_raw_parts(start, len as usize) }
    }

    /// Bytes of the pages, of which only those in use occupy memory.
    pub(crate) fn len(&self) -> usize {
        self.header().map_or(0, |header| header.file_len.load(Ordering::Relaxed) as usize)
    }

    /// The sections' starts and the bytes in use of each: what a copy has to copy.
    pub(crate) fn used_ranges(&self) -> [(usize, usize); SECTIONS + 1] {
        let mut ranges = [(0, HEADER_LEN); SECTIONS + 1];
        if let Some(header) = self.header() {
            for (range, section) in ranges.iter_mut().skip(1).zip(&header.sections) {
                let count = section.count.load(Ordering::Acquire) as usize;
                let stride = section.stride.load(Ordering::Relaxed) as usize;
                *range = (section.offset.load(Ordering::Relaxed) as usize, count * stride);
            }
        }
        ranges
    }
}

/// Divides `len` bytes between the sections and writes the head of the header.
fn lay_out(header: &Header, len: usize) {
    let mut offset = HEADER_LEN;
    for (id, section) in header.sections.iter().enumerate() {
        let stride = stride_of(id);
        let share = match id {
            _ if id == SectionId::Chunks as usize => {
                let others: usize = (0..SECTIONS).map(share_of).sum();
                len * (SHARES - others) / SHARES - HEADER_LEN - SECTIONS * SECTION_ALIGN
            }
            _ => len * share_of(id) / SHARES,
        };
        let is_few = id == SectionId::Timeline as usize || id == SectionId::Events as usize;
        let most = if is_few { POINTS_MAX } else { u32::MAX as usize };
        let capacity = (share / stride).min(most);
        section.offset.store(offset as u64, Ordering::Relaxed);
        section.stride.store(stride as u32, Ordering::Relaxed);
        section.capacity.store(capacity as u32, Ordering::Relaxed);
        offset = (offset + capacity * stride).next_multiple_of(SECTION_ALIGN);
    }
    debug_assert!(offset <= len);
    // SAFETY: the magic is plain bytes that nobody reads before the header is published.
    unsafe { (&raw const header.magic).cast_mut().write(layout::MAGIC) };
    header.header_len.store(HEADER_LEN as u32, Ordering::Relaxed);
    header.file_len.store(len as u64, Ordering::Relaxed);
    header.version.store(layout::VERSION, Ordering::Release);
}

/// Fresh pages for a ledger that no file keeps: of the wanted length, or less where addresses are
/// limited.
pub(crate) fn private_pages(wanted: usize) -> Option<(NonNull<u8>, usize)> {
    let limited = memory::address_space_limit().map_or(wanted, |limit| wanted.min(limit / 16));
    core::iter::successors(Some(limited), |len| (len / 4 >= LEN_MIN).then_some(len / 4))
        .map(|len| (len & !(SECTION_ALIGN - 1)).max(LEN_MIN))
        .find_map(|len| memory::map_zeroed(len).map(|pages| (pages, len)))
}

/// Shortest ledger.
pub(crate) const LEN_MIN: usize = 4 << 20;
