//! Fields of records, by the layout's types, from plain bytes.
//!
//! The layout's structs are what the writer maps; a reader has bytes that may be anything. So it
//! takes from a struct only offset and type of a field and reads little-endian numbers there.

use crate::base::sync::{AtomicI32, AtomicI64, AtomicU8, AtomicU32, AtomicU64};
use crate::format::layout::{ClassCell, Sums, Text};
use core::mem::offset_of;

/// Bytes of a record, or of a part of one. What lies beyond them reads as zero.
#[derive(Clone, Copy, Debug)]
pub(in crate::format) struct Record<'a>(pub(in crate::format) &'a [u8]);

/// A field's type: what it is as plain data.
pub(in crate::format) trait Plain {
    /// The plain data.
    type Value: Copy;
    /// Reads it.
    fn read(from: Record<'_>) -> Self::Value;
}

/// `field!(record, Struct.path)`: the value of a field, with the type it has in the layout.
macro_rules! field {
    ($record:expr, $kind:ty, $($path:tt)+) => {
        $record.read(core::mem::offset_of!($kind, $($path)+), |record: &$kind| &record.$($path)+)
    };
}
pub(in crate::format) use field;

impl<'a> Record<'a> {
    /// The field at `offset`; the function is never called and only names the field's type.
    pub(in crate::format) fn read<S, F: Plain>(
        self,
        offset: usize,
        _: impl Fn(&S) -> &F,
    ) -> F::Value {
        F::read(self.from(offset))
    }

    /// The bytes from `offset` on.
    pub(in crate::format) fn from(self, offset: usize) -> Self {
        Self(self.0.get(offset..).unwrap_or(&[]))
    }

    fn bytes<const LEN: usize>(self) -> [u8; LEN] {
        self.0.first_chunk().copied().unwrap_or([0; LEN])
    }
}

macro_rules! plain_number {
    ($($kind:ty: $value:ty),*) => {$(
        impl Plain for $kind {
            type Value = $value;
            fn read(from: Record<'_>) -> $value {
                <$value>::from_le_bytes(from.bytes())
            }
        }
    )*};
}
plain_number!(
    AtomicU8: u8, AtomicU32: u32, AtomicU64: u64, AtomicI32: i32, AtomicI64: i64
);

/// A time of the allocation clock from the bits that a record has of it.
pub(in crate::format) fn clock_of(bits: u32) -> u64 {
    // What is no time, in a damaged ledger, becomes some.
    f32::from_bits(bits) as u64
}

impl<T: Plain, const N: usize> Plain for [T; N] {
    type Value = [T::Value; N];
    fn read(from: Record<'_>) -> Self::Value {
        core::array::from_fn(|index| T::read(from.from(index * size_of::<T>())))
    }
}

/// Where a text lies in the strings section.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TextPlace {
    /// Of its first byte.
    pub offset: u32,
    /// Bytes.
    pub len: u32,
}

impl Plain for Text {
    type Value = TextPlace;
    fn read(from: Record<'_>) -> TextPlace {
        TextPlace { offset: field!(from, Self, offset), len: field!(from, Self, len) }
    }
}

/// Allocations and frees of anything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flow {
    /// Blocks allocated.
    pub allocations: u64,
    /// Bytes allocated.
    pub bytes: u64,
    /// Blocks freed.
    pub frees: u64,
    /// Bytes freed.
    pub freed_bytes: u64,
}

impl Flow {
    fn map(self, other: Self, operation: fn(u64, u64) -> u64) -> Self {
        Self {
            allocations: operation(self.allocations, other.allocations),
            bytes: operation(self.bytes, other.bytes),
            frees: operation(self.frees, other.frees),
            freed_bytes: operation(self.freed_bytes, other.freed_bytes),
        }
    }

    /// The sum. Wraps, as the counters do.
    pub(in crate::format) fn plus(self, other: Self) -> Self {
        self.map(other, u64::wrapping_add)
    }

    /// The growth since `earlier`; zero where that is more.
    pub(in crate::format) fn since(self, earlier: Self) -> Self {
        self.map(earlier, u64::saturating_sub)
    }
}

impl Plain for Sums {
    type Value = Flow;
    fn read(from: Record<'_>) -> Flow {
        Flow {
            allocations: field!(from, Self, allocations),
            bytes: field!(from, Self, bytes),
            frees: field!(from, Self, frees),
            freed_bytes: field!(from, Self, freed_bytes),
        }
    }
}

impl Plain for ClassCell {
    type Value = Flow;
    fn read(from: Record<'_>) -> Flow {
        Sums::read(from)
    }
}

// A class cell reads as sums do.
const _: () = {
    assert!(offset_of!(Sums, allocations) == offset_of!(ClassCell, allocations));
    assert!(offset_of!(Sums, bytes) == offset_of!(ClassCell, bytes));
    assert!(offset_of!(Sums, frees) == offset_of!(ClassCell, frees));
    assert!(offset_of!(Sums, freed_bytes) == offset_of!(ClassCell, freed_bytes));
};
