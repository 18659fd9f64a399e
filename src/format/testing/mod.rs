//! Ledgers for tests: made of plain data, good or bad. No interface for others.
//!
//! [`Ledger`] is a ledger's records as they lie in the file; [`Ledger::of`] makes one that reads as
//! a given [`Snapshot`](super::snapshot::Snapshot); [`noise`] makes one of arbitrary bytes that
//! gets past the header's checks.

mod of;
mod records;

pub use super::read::record::{Flow, TextPlace};
pub use records::{
    Cell, Chunk, Event, Frame, Header, Module, Node, Point, Shard, Shared, Site, Thread, Wide,
};

use super::layout::{self, CLASSES, HEADER_LEN, MAGIC, SECTION_ALIGN, SECTIONS, VERSION};
use super::read::outline::STRIDES;
use core::mem::offset_of;
use records::{Head, Record, SectionRecord};
use std::vec;
use std::vec::Vec;

/// The records of a ledger. The reserved ones are there from [`Ledger::new`] on.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    pub header: Header,
    /// Largest block of each class, from class 0 on.
    pub class_sizes: Vec<u64>,
    pub strings: Vec<u8>,
    pub modules: Vec<Module>,
    pub frames: Vec<Frame>,
    pub nodes: Vec<Node>,
    pub sites: Vec<Site>,
    pub threads: Vec<Thread>,
    pub shards: Vec<Shard>,
    pub chunks: Vec<Chunk>,
    pub points: Vec<Point>,
    pub events: Vec<Event>,
    pub wides: Vec<Wide>,
    /// Records that found no room, by section.
    pub refused: [u32; SECTIONS],
    /// Records that each section has room for, beyond those it has.
    pub room: u32,
}

impl Ledger {
    /// The ledger of a process that has done nothing.
    #[must_use]
    pub fn new() -> Self {
        Self {
            frames: vec![Frame::default()],
            nodes: vec![Node::default()],
            sites: vec![Site::default(); 2],
            threads: vec![Thread::default()],
            wides: vec![Wide::default()],
            ..Self::default()
        }
    }

    /// Keeps a text.
    pub fn keep(&mut self, text: impl AsRef<[u8]>) -> TextPlace {
        let text = text.as_ref();
        let place = TextPlace { offset: self.strings.len() as u32, len: text.len() as u32 };
        self.strings.extend_from_slice(text);
        place
    }

    /// The file's contents.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        fn section<R: Record>(records: &[R]) -> Vec<u8> {
            let mut bytes = Vec::with_capacity(records.len() * R::LEN);
            records.iter().for_each(|record| record.append(&mut bytes));
            bytes
        }
        let mut header = Vec::new();
        self.header.append(&mut header);
        for (index, size) in self.class_sizes.iter().take(CLASSES).enumerate() {
            let place = offset_of!(layout::Header, class_sizes) + index * size_of::<u64>();
            header[place..][..8].copy_from_slice(&size.to_le_bytes());
        }
        let sections = [
            self.strings.clone(),
            section(&self.modules),
            section(&self.frames),
            section(&self.nodes),
            section(&self.sites),
            section(&self.threads),
            section(&self.shards),
            section(&self.chunks),
            section(&self.points),
            section(&self.events),
            section(&self.wides),
        ];
        assemble(header, &sections, self.refused, self.room)
    }
}

/// A ledger whose header and references are in order, and whose records are what `data` says: the
/// reader gets past the first checks, whatever it is.
#[must_use]
pub fn noise(data: &[u8]) -> Vec<u8> {
    let mut rest = data;
    let mut take = |wanted: usize, into: &mut [u8]| {
        let (taken, left) = rest.split_at(wanted.min(rest.len()));
        into[..taken.len()].copy_from_slice(taken);
        rest = left;
    };
    let mut header = vec![0; HEADER_LEN];
    let values = offset_of!(layout::Header, pid);
    take(size_of::<layout::Header>() - values, &mut header[values..]);
    let sections = STRIDES.map(|stride| {
        let mut count = [0];
        take(1, &mut count);
        let mut section = vec![0; stride * usize::from(count[0] % NOISE_RECORDS)];
        section.chunks_exact_mut(stride).for_each(|record| take(NOISE_BYTES.min(stride), record));
        section
    });
    assemble(header, &sections, [0; SECTIONS], 0)
}

/// Records of a section made of noise, at most.
const NOISE_RECORDS: u8 = 32;
/// Bytes of a record made of noise, at most; the rest is zero.
const NOISE_BYTES: usize = 384;

/// Puts a header and sections together.
fn assemble(
    mut header: Vec<u8>,
    sections: &[Vec<u8>; SECTIONS],
    refused: [u32; SECTIONS],
    room: u32,
) -> Vec<u8> {
    let mut offset = HEADER_LEN;
    let table = offset_of!(layout::Header, sections);
    for (index, (section, stride)) in sections.iter().zip(STRIDES).enumerate() {
        let count = (section.len() / stride) as u32;
        let record = SectionRecord {
            offset: offset as u64,
            stride: stride as u32,
            capacity: count + room,
            count,
            refused: refused[index],
        };
        record.write(&mut header[table + index * size_of::<layout::Section>()..]);
        offset = (offset + (count + room) as usize * stride).next_multiple_of(SECTION_ALIGN);
    }
    let head = Head { version: VERSION, header_len: HEADER_LEN as u32, file_len: offset as u64 };
    head.write(&mut header);
    header[..MAGIC.len()].copy_from_slice(&MAGIC);
    let mut bytes = header;
    for (section, stride) in sections.iter().zip(STRIDES) {
        bytes.extend_from_slice(section);
        let len = (bytes.len() + room as usize * stride).next_multiple_of(SECTION_ALIGN);
        bytes.resize(len, 0);
    }
    bytes
}
