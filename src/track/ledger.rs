//! The ledger in memory: sections of records that only grow.
//!
//! The layout is that of [`crate::format::layout`], in pages of this process or in a file that is
//! shared with readers. It is opened once, before anything is tracked; a fork gives the child pages
//! of its own at the same addresses, so that references stay good.

use super::table::Table;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU64, Ordering};
use crate::format::layout::{
    self, Chunk, Event, Frame, HEADER_LEN, Header, Module, Node, Point, SECTION_ALIGN, SECTIONS,
    SectionId, Shard, Site, Text, Thread, Wide,
};
use crate::os::lock::Lock;
use crate::os::memory::Populated;
use crate::os::{clock, memory};
use core::ptr::{self, NonNull};

/// The mapped ledger, once there is one.
#[derive(Debug)]
pub(crate) struct Ledger {
    header: AtomicPtr<Header>,
    /// The monotonic clock when the ledger was opened.
    nanoseconds_zero: AtomicU64,
    /// Its pages are those of a file.
    pub(super) is_file: AtomicBool,
    pub(crate) frames: Table<Frame>,
    pub(crate) nodes: Table<Node>,
    pub(crate) sites: Table<Site>,
    pub(crate) modules: Table<Module>,
    pub(crate) threads: Table<Thread>,
    pub(crate) shards: Table<Shard>,
    pub(crate) chunks: Table<Chunk>,
    pub(crate) points: Table<Point>,
    pub(crate) events: Table<Event>,
    pub(super) wides: Table<Wide>,
    pub(super) strings: Table<u8>,
    /// Held while a record is appended.
    lock: Lock,
}

/// What a section gets of the ledger's length, in parts of [`SHARES`]; the chunks get the rest.
const fn share_of(section: usize) -> usize {
    const { assert!(SectionId::Chunks as usize == 7 && SECTIONS == 11) };
    [4, 1, 16, 80, 8, 2, 16, 0, 1, 1, 32][section]
}

const SHARES: usize = 256;
/// How many numbers of a section stand for "none", "unknown" and "the others".
const RESERVED: [(SectionId, u32); 5] = [
    (SectionId::Frames, 1),
    (SectionId::Nodes, 1),
    (SectionId::Sites, super::SiteId::FIRST),
    (SectionId::Threads, 1),
    (SectionId::Wides, 1),
];
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
        size_of::<Wide>(),
    ][section]
}

impl Ledger {
    pub(super) const fn new() -> Self {
        Self {
            header: AtomicPtr::new(ptr::null_mut()),
            nanoseconds_zero: AtomicU64::new(0),
            is_file: AtomicBool::new(false),
            frames: Table::new(),
            nodes: Table::new(),
            sites: Table::new(),
            modules: Table::new(),
            threads: Table::new(),
            shards: Table::new(),
            chunks: Table::new(),
            points: Table::new(),
            events: Table::new(),
            wides: Table::new(),
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

    /// Lays a ledger out in fresh pages, which are never unmapped.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn open(&self, pages: Pages) {
        let header = pages.start.cast::<Header>();
        // SAFETY: zeroed pages are a valid header: all fields are atomic numbers or bytes.
        let header = unsafe { header.as_ref() };
        lay_out(header, pages.len);
        let first = |id: SectionId| {
            let section = &header.sections[id as usize];
            let offset = section.offset.load(Ordering::Relaxed) as usize;
            // SAFETY: `lay_out` placed the section inside the pages.
            (section, unsafe { pages.start.as_ptr().add(offset) })
        };
        macro_rules! open {
            ($($table:ident: $id:ident,)*) => {
                $(
                    let (section, start) = first(SectionId::$id);
                    self.$table.open(section, start, pages.is_file);
                )*
            };
        }
        open! {
            strings: Strings, modules: Modules, frames: Frames, nodes: Nodes, sites: Sites,
            threads: Threads, shards: Shards, chunks: Chunks, points: Timeline, events: Events,
            wides: Wides,
        }
        for (id, count) in RESERVED {
            header.sections[id as usize].count.store(count, Ordering::Relaxed);
        }
        self.start_clock(header);
        self.is_file.store(pages.is_file, Ordering::Relaxed);
        self.header.store(ptr::from_ref(header).cast_mut(), Ordering::Release);
    }

    pub(super) fn start_clock(&self, header: &Header) {
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
        let has_room = |end: &u32| {
            *end <= self.strings.capacity() && (len == 0 || self.strings.is_ready(*end - 1))
        };
        let Some(end) = end.filter(has_room) else {
            section.refused.fetch_add(1, Ordering::Relaxed);
            return;
        };
        let start = self.strings.first().wrapping_add(at as usize);
        // SAFETY: the range is inside the section and has never been used; the lock is held.
        unsafe { start.copy_from_nonoverlapping(text.as_ptr(), text.len()) };
        place.offset.store(at, Ordering::Relaxed);
        place.len.store(len, Ordering::Relaxed);
        section.count.store(end, Ordering::Release);
    }

    /// Writes down something that happened; `kind` is one of [`layout::event`].
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn note(&self, kind: u32, value: u64, text: &[u8]) {
        let Some(_lock) = self.lock.acquire() else { return };
        self.events.append(|event| {
            event.tick.store(clock::ticks(), Ordering::Relaxed);
            event.kind.store(kind, Ordering::Relaxed);
            event.value.store(value, Ordering::Relaxed);
            self.keep(text, &event.text);
        });
    }

    /// The bytes of a text that was kept.
    pub(crate) fn text(&self, place: &Text) -> &[u8] {
        let (at, len) = (place.offset.load(Ordering::Relaxed), place.len.load(Ordering::Relaxed));
        let start = self.strings.first().wrapping_add(at as usize);
        if len == 0 || start.is_null() {
            return &[];
        }
        // SAFETY: `keep` put that many bytes there, and texts never change.
        unsafe { core::slice::from_raw_parts(start, len as usize) }
    }

    /// Whether the pages are those of a file.
    pub(crate) fn is_file(&self) -> bool {
        self.is_file.load(Ordering::Relaxed)
    }

    /// Where the pages are: start and length.
    pub(crate) fn mapping(&self) -> Option<(usize, usize)> {
        self.header().map(|header| (ptr::from_ref(header) as usize, self.len()))
    }

    /// Bytes of the pages, of which only those in use occupy memory.
    pub(crate) fn len(&self) -> usize {
        self.header().map_or(0, |header| header.file_len.load(Ordering::Relaxed) as usize)
    }
}

/// Divides `len` bytes between the sections and writes the head of the header.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
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

/// Pages for a ledger, zeroed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pages {
    pub(super) start: NonNull<u8>,
    pub(super) len: usize,
    /// They are those of a file, which may turn out to have no room.
    pub(super) is_file: bool,
}

/// Shortest ledger.
pub(crate) const LEN_MIN: usize = 4 << 20;

impl Pages {
    /// That no file keeps: of the wanted length, or less where addresses are limited.
    pub(crate) fn private(wanted: usize) -> Option<Self> {
        let limited = memory::address_space_limit().map_or(wanted, |limit| wanted.min(limit / 16));
        core::iter::successors(Some(limited), |len| (len / 4 >= LEN_MIN).then_some(len / 4))
            .map(|len| (len & !(SECTION_ALIGN - 1)).max(LEN_MIN))
            .find_map(|len| {
                memory::map_zeroed(len).map(|start| Self { start, len, is_file: false })
            })
    }

    /// Those of a file that has been made `len` bytes long and is empty. `None`: there is no room
    /// for what is read and written without being asked for.
    pub(crate) fn of_file(file: i32, len: usize) -> Option<Self> {
        let start = memory::map_file(file, len)?;
        let pages = Self { start, len, is_file: true };
        if pages.has_room(0, HEADER_LEN) && pages.has_first_records() {
            return Some(pages);
        }
        pages.release();
        None
    }

    /// Whether the records can be had that stand for "none" and the like: they are there from the
    /// beginning, so nobody appends them.
    fn has_first_records(&self) -> bool {
        // SAFETY: zeroed pages, of which the header's can be written.
        let header = unsafe { self.start.cast::<Header>().as_ref() };
        lay_out(header, self.len);
        RESERVED.iter().all(|(id, count)| {
            let section = &header.sections[*id as usize];
            let len = *count as usize * section.stride.load(Ordering::Relaxed) as usize;
            self.has_room(section.offset.load(Ordering::Relaxed) as usize, len)
        })
    }

    /// Whether that range can be written.
    pub(super) fn has_room(&self, offset: usize, len: usize) -> bool {
        if !self.is_file || len == 0 {
            return true;
        }
        // SAFETY: inside the pages.
        unsafe { memory::populate(self.start.add(offset), len) != Populated::No }
    }

    /// Gives the pages back.
    pub(super) fn release(self) {
        // SAFETY: nobody has been told of them.
        unsafe { memory::release(self.start, self.len) };
    }
}
