//! The header: is this a ledger, and which parts of the file are in use?

use super::ReadError;
use super::error::kind_of;
use super::record::{Record, field};
use super::source::{Records, Source};
use crate::format::layout::{
    Chunk, Event, Frame, HEADER_LEN, Header, MAGIC, Module, Node, Point, SECTIONS, Section,
    SectionId, Shard, Site, Thread, VERSION, Wide,
};
use core::mem::offset_of;
use std::vec;
use std::vec::Vec;

/// Names of the sections, in their order.
pub(in crate::format) const NAMES: [&str; SECTIONS] = [
    "strings", "modules", "frames", "nodes", "sites", "threads", "shards", "chunks", "timeline",
    "events", "wides",
];

/// Bytes of a record of each section, at least.
pub(in crate::format) const STRIDES: [usize; SECTIONS] = [
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
];

/// Sections in the order in which their counts are read: first what refers to others. A record is
/// complete before it is counted, so all it refers to is counted when the count of that is read.
const DEPENDENT_FIRST: [SectionId; SECTIONS] = [
    SectionId::Events,
    SectionId::Timeline,
    SectionId::Chunks,
    SectionId::Shards,
    SectionId::Threads,
    SectionId::Sites,
    SectionId::Nodes,
    SectionId::Frames,
    SectionId::Modules,
    SectionId::Strings,
    SectionId::Wides,
];

/// A header that makes sense.
#[derive(Debug)]
pub(super) struct Outline {
    header: Vec<u8>,
    records: [Records; SECTIONS],
    /// Records that found no room.
    pub(super) refused: [u32; SECTIONS],
}

impl Outline {
    /// Reads and checks it: all records in use lie inside the file, and no two sections overlap.
    pub(super) fn read(source: &(impl Source + ?Sized)) -> Result<Self, ReadError> {
        let header = header(source)?;
        let nothing = Records { offset: 0, stride: 1, count: 0 };
        let mut outline = Self { header, records: [nothing; SECTIONS], refused: [0; SECTIONS] };
        for id in DEPENDENT_FIRST {
            outline.records[id as usize] = outline.section(source, id as usize)?;
        }
        outline.refuse_overlaps()?;
        let (sites, nodes) = (outline.of(SectionId::Sites), outline.of(SectionId::Nodes));
        if sites.count > nodes.count.saturating_add(RESERVED_SITES) {
            return Err(ReadError::Damaged { how: "it has more sites than stacks" });
        }
        Ok(outline)
    }

    /// The header's bytes.
    pub(super) fn header(&self) -> Record<'_> {
        Record(&self.header)
    }

    /// The records of a section.
    pub(super) fn of(&self, id: SectionId) -> Records {
        self.records[id as usize]
    }

    /// Bytes in use, the header's included.
    pub(super) fn used(&self) -> u64 {
        self.records.iter().map(Records::len).sum::<u64>() + HEADER_LEN as u64
    }

    fn section(
        &mut self,
        source: &(impl Source + ?Sized),
        number: usize,
    ) -> Result<Records, ReadError> {
        let place = offset_of!(Header, sections) + number * size_of::<Section>();
        let section = self.header().from(place);
        let (offset, stride) = (field!(section, Section, offset), field!(section, Section, stride));
        let capacity = field!(section, Section, capacity);
        // Once more, and in the right order: the process may be at work.
        let mut counts = [0; 8];
        const { assert!(offset_of!(Section, refused) == offset_of!(Section, count) + 4) };
        source.copy((place + offset_of!(Section, count)) as u64, &mut counts)?;
        let counts = u64::from_le_bytes(counts);
        let (count, refused) = (counts as u32, (counts >> 32) as u32);
        self.refused[number] = refused;

        let stride = stride as usize;
        let is_stride_good = if number == SectionId::Strings as usize {
            stride == 1
        } else {
            stride >= STRIDES[number] && stride.is_multiple_of(4)
        };
        if !is_stride_good {
            return Err(ReadError::Damaged { how: "its records are shorter than they must be" });
        }
        if count > capacity {
            return Err(ReadError::Damaged { how: "a section has more records than room" });
        }
        if offset < self.header.len() as u64 {
            return Err(ReadError::Damaged { how: "a section begins inside the header" });
        }
        let end = (count as u64).checked_mul(stride as u64).and_then(|len| offset.checked_add(len));
        let Some(end) = end else {
            return Err(ReadError::Damaged { how: "a section ends behind all addresses" });
        };
        if count > 0 && end > source.len() {
            return Err(ReadError::Truncated { expected: end, found: source.len() });
        }
        Ok(Records { offset, stride, count: count as usize })
    }

    fn refuse_overlaps(&self) -> Result<(), ReadError> {
        let mut used: Vec<_> = self.records.iter().filter(|records| records.count > 0).collect();
        used.sort_by_key(|records| records.offset);
        let overlaps = |pair: &[&Records]| pair[0].offset + pair[0].len() > pair[1].offset;
        if used.windows(2).any(overlaps) {
            return Err(ReadError::Damaged { how: "two sections overlap" });
        }
        Ok(())
    }
}

/// Sites 0 and 1 stand for no and for an unknown stack.
pub(super) const RESERVED_SITES: usize = 2;

fn header(source: &(impl Source + ?Sized)) -> Result<Vec<u8>, ReadError> {
    let len = usize::try_from(source.len()).unwrap_or(HEADER_LEN).min(HEADER_LEN);
    if len == 0 {
        return Err(ReadError::Empty);
    }
    let mut header = vec![0; len];
    source.copy(0, &mut header)?;
    if header.iter().all(|byte| *byte == 0) {
        return Err(ReadError::Unfinished);
    }
    if !header.starts_with(&MAGIC) {
        return Err(ReadError::NotALedger { looks_like: kind_of(&header) });
    }
    if header.len() < HEADER_LEN {
        return Err(ReadError::Truncated { expected: HEADER_LEN as u64, found: source.len() });
    }
    match field!(Record(&header), Header, version) {
        VERSION => {}
        0 => return Err(ReadError::Unfinished),
        found => return Err(ReadError::Version { found, known: VERSION }),
    }
    if field!(Record(&header), Header, header_len) < size_of::<Header>() as u32 {
        return Err(ReadError::Damaged { how: "its header is shorter than it must be" });
    }
    Ok(header)
}
