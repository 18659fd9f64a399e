//! The layout's records as plain structs, and how they are written.

use crate::base::sync::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
use crate::format::layout;
use crate::format::read::record::{Flow, Plain, TextPlace};
use core::mem::offset_of;
use std::vec::Vec;

/// A field's type: how its plain data is written.
trait Write: Plain {
    fn write(value: Self::Value, into: &mut [u8]);
}

/// `put!(bytes, Struct, field, value)`: writes a field with the type it has in the layout.
macro_rules! put {
    ($bytes:expr, $kind:ty, $field:ident, $value:expr) => {
        $crate::format::testing::records::put(
            $bytes,
            core::mem::offset_of!($kind, $field),
            |record: &$kind| &record.$field,
            $value,
        )
    };
}

macro_rules! write_number {
    ($($kind:ty),*) => {$(
        impl Write for $kind {
            fn write(value: Self::Value, into: &mut [u8]) {
                into[..size_of::<Self>()].copy_from_slice(&value.to_le_bytes());
            }
        }
    )*};
}
write_number!(AtomicU8, AtomicU32, AtomicU64, AtomicI32, AtomicI64);

impl<T: Write, const N: usize> Write for [T; N] {
    fn write(value: Self::Value, into: &mut [u8]) {
        for (value, into) in value.into_iter().zip(into.chunks_exact_mut(size_of::<T>())) {
            T::write(value, into);
        }
    }
}

impl Write for layout::Text {
    fn write(value: TextPlace, into: &mut [u8]) {
        put!(into, Self, offset, value.offset);
        put!(into, Self, len, value.len);
    }
}

impl Write for layout::Sums {
    fn write(value: Flow, into: &mut [u8]) {
        put!(into, Self, allocations, value.allocations);
        put!(into, Self, bytes, value.bytes);
        put!(into, Self, frees, value.frees);
        put!(into, Self, freed_bytes, value.freed_bytes);
    }
}

fn put<S, F: Write>(bytes: &mut [u8], offset: usize, _: impl Fn(&S) -> &F, value: F::Value) {
    F::write(value, &mut bytes[offset..]);
}

/// A record that can be written.
pub(super) trait Record {
    /// Its bytes.
    const LEN: usize;
    /// Writes it over zeros.
    fn write(&self, into: &mut [u8]);

    fn append(&self, section: &mut Vec<u8>) {
        let start = section.len();
        section.resize(start + Self::LEN, 0);
        self.write(&mut section[start..]);
    }
}

/// Plain twins of the layout's structs.
macro_rules! records {
    ($($name:ident { $($field:ident: $kind:ty,)* })*) => {$(
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub struct $name { $(pub $field: $kind,)* }

        impl Record for $name {
            const LEN: usize = size_of::<layout::$name>();
            fn write(&self, into: &mut [u8]) {
                $(put!(into, layout::$name, $field, self.$field);)*
            }
        }
    )*};
}

records! {
    Module {
        start: u64, end: u64, bias: u64, path: TextPlace, build_id: [u32; 8], build_id_len: u32,
        loaded_tick: u64, unloaded_tick: u64,
    }
    Frame { address: u64, module: u32, flags: u32, }
    Node { parent: u32, frame: u32, below: u32, sibling: u32, }
    Site { node: u32, first_clock: u32, }
    Thread {
        id: u32, shard: u32, name: [u32; 4], started_tick: u64, ended_tick: u64,
        first: Flow, last: Flow,
    }
    Cell {
        allocations: u32, frees: u32, bytes: u64, freed_bytes: u64, own_peak_bytes: u32,
        at_peak_bytes: i32, at_peak_blocks: i32, peak_epoch: u32, wide: u32, last_clock: u32,
        lives: [u8; layout::LIVES],
    }
    Wide {
        allocations: u64, frees: u64, reallocations: u64, samples: u64, variance_blocks: u64,
        variance_bytes: u64, own_peak_bytes: i64, at_peak_bytes: i64, at_peak_blocks: i64,
        lives: [u64; layout::LIVES],
    }
    Point {
        tick: u64, bytes: i64, blocks: i64, resident: u64, allocations: u64, high_bytes: i64,
        clock: u64,
    }
    Event { tick: u64, kind: u32, thread: u32, value: u64, text: TextPlace, }
    Shared {
        bytes: i64, blocks: i64, peak_bytes: i64, peak_blocks: i64, peak_epoch: u32,
        peak_clock: u64, next_point: u64, clock: u64,
    }
}

/// The header but for its sections and [`Shared`].
macro_rules! header {
    ($($field:ident: $kind:ty,)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct Header { $(pub $field: $kind,)* pub shared: Shared }

        impl Default for Header {
            fn default() -> Self {
                Self { $($field: Default::default(),)* shared: Shared::default() }
            }
        }

        impl Record for Header {
            const LEN: usize = layout::HEADER_LEN;
            fn write(&self, into: &mut [u8]) {
                $(put!(into, layout::Header, $field, self.$field);)*
                self.shared.write(&mut into[offset_of!(layout::Header, shared)..]);
            }
        }
    };
}
header! {
    pid: u32, forked_from: u32, program: TextPlace, command: TextPlace, writer: TextPlace,
    state: u32, exit_status: u32, started_unix_ns: u64, tick_zero: u64, tick_later: u64,
    nanoseconds_later: u64, mode: u32, wanted: u32, sample_bytes: u64, wanted_sample_bytes: u64,
    point_ticks: u64, unseen: u64, refused_stacks: u64, before_blocks: u64, before_bytes: u64,
    overhead_bytes: u64,
}

/// Where a section is.
pub(super) struct SectionRecord {
    pub(super) offset: u64,
    pub(super) stride: u32,
    pub(super) capacity: u32,
    pub(super) count: u32,
    pub(super) refused: u32,
}

impl Record for SectionRecord {
    const LEN: usize = size_of::<layout::Section>();
    fn write(&self, into: &mut [u8]) {
        put!(into, layout::Section, offset, self.offset);
        put!(into, layout::Section, stride, self.stride);
        put!(into, layout::Section, capacity, self.capacity);
        put!(into, layout::Section, count, self.count);
        put!(into, layout::Section, refused, self.refused);
    }
}

/// The header's first fields, behind the magic.
pub(super) struct Head {
    pub(super) version: u32,
    pub(super) header_len: u32,
    pub(super) file_len: u64,
}

impl Record for Head {
    const LEN: usize = layout::HEADER_LEN;
    fn write(&self, into: &mut [u8]) {
        put!(into, layout::Header, version, self.version);
        put!(into, layout::Header, header_len, self.header_len);
        put!(into, layout::Header, file_len, self.file_len);
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shard {
    pub thread: u32,
    pub temporary: u64,
    pub reallocations: u64,
    /// From class 0 on; the rest is zero.
    pub classes: Vec<Flow>,
}

impl Record for Shard {
    const LEN: usize = size_of::<layout::Shard>();
    fn write(&self, into: &mut [u8]) {
        put!(into, layout::Shard, thread, self.thread);
        put!(into, layout::Shard, temporary, self.temporary);
        put!(into, layout::Shard, reallocations, self.reallocations);
        let classes = &mut into[offset_of!(layout::Shard, classes)..];
        for (flow, into) in
            self.classes.iter().zip(classes.chunks_exact_mut(size_of::<layout::Sums>()))
        {
            layout::Sums::write(*flow, into);
        }
    }
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunk {
    /// Its shard plus one.
    pub shard: u32,
    pub first_site: u32,
    /// From the first one on; the rest is zero.
    pub cells: Vec<Cell>,
}

impl Record for Chunk {
    const LEN: usize = size_of::<layout::Chunk>();
    fn write(&self, into: &mut [u8]) {
        put!(into, layout::Chunk, shard, self.shard);
        put!(into, layout::Chunk, first_site, self.first_site);
        let cells = &mut into[offset_of!(layout::Chunk, cells)..];
        for (cell, into) in self.cells.iter().zip(cells.chunks_exact_mut(Cell::LEN)) {
            cell.write(into);
        }
    }
}
