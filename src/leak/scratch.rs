//! Memory for the time of a check: mapped for it and unmapped after it.
//!
//! While the world is stopped no heap may be asked for memory, neither the program's, whose blocks
//! are being looked at, nor the private one, whose lock is held.

use crate::os::memory::{self, PAGE};
use core::marker::PhantomData;
use core::ops::{Deref, DerefMut};
use core::ptr::NonNull;
use core::slice;

/// The system has no memory left for the check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct NoMemory;

/// Values that may be all zero bytes.
///
/// # Safety
/// All-zero bytes are a value of the type.
pub(crate) unsafe trait Zero: Copy {}

// SAFETY: numbers.
unsafe impl Zero for u8 {}
// SAFETY: as above.
unsafe impl Zero for u32 {}
// SAFETY: as above.
unsafe impl Zero for u64 {}
// SAFETY: as above.
unsafe impl Zero for usize {}
// SAFETY: each of them may be.
unsafe impl<T: Zero, const N: usize> Zero for [T; N] {}

/// A vector in mapped memory. It grows without being copied.
#[derive(Debug)]
pub(crate) struct Vector<T> {
    /// Dangling while there is no memory.
    start: NonNull<T>,
    len: usize,
    /// Bytes mapped.
    mapped: usize,
    owned: PhantomData<T>,
}

/// From so many bytes on large pages are worth asking for.
const LARGE: usize = 4 << 20;
const FIRST: usize = 16 << 10;

impl<T: Zero> Vector<T> {
    /// A vector of `len` zeros.
    pub(crate) fn zeroed(len: usize) -> Result<Self, NoMemory> {
        let mut vector = Self::new();
        if len > 0 {
            let bytes = len.checked_mul(size_of::<T>()).ok_or(NoMemory)?;
            vector.map(bytes.checked_next_multiple_of(PAGE).ok_or(NoMemory)?)?;
            vector.len = len;
        }
        Ok(vector)
    }
}

impl<T: Copy> Vector<T> {
    pub(crate) const fn new() -> Self {
        Self { start: NonNull::dangling(), len: 0, mapped: 0, owned: PhantomData }
    }

    /// An empty vector that holds `len` elements before it grows.
    pub(crate) fn with_room(len: usize) -> Result<Self, NoMemory> {
        let mut vector = Self::new();
        vector.reserve(len)?;
        Ok(vector)
    }

    /// Makes room for `more` elements, so that pushing them neither fails nor moves the others.
    pub(crate) fn reserve(&mut self, more: usize) -> Result<(), NoMemory> {
        let len = self.len.checked_add(more).ok_or(NoMemory)?;
        let bytes = len.checked_mul(size_of::<T>()).ok_or(NoMemory)?;
        if bytes > self.mapped {
            let bytes = bytes.max(2 * self.mapped).max(FIRST);
            self.map(bytes.checked_next_multiple_of(PAGE).ok_or(NoMemory)?)?;
        }
        Ok(())
    }

    /// Where its memory starts and ends.
    pub(super) fn place(&self) -> (usize, usize) {
        let start = self.start.as_ptr() as usize;
        (start, start + self.mapped)
    }

    fn map(&mut self, bytes: usize) -> Result<(), NoMemory> {
        let start = if self.mapped == 0 {
            memory::map_zeroed(bytes)
        } else {
            // SAFETY: the mapping is ours, and `&mut` says that nobody looks into it.
            unsafe { memory::lengthen(self.start.cast(), self.mapped, bytes) }
        };
        let start = start.ok_or(NoMemory)?;
        if bytes >= LARGE {
            memory::prefer_large_pages(start, bytes);
        }
        (self.start, self.mapped) = (start.cast(), bytes);
        Ok(())
    }

    #[inline(always)]
    pub(crate) fn push(&mut self, value: T) -> Result<(), NoMemory> {
        if (self.len + 1) * size_of::<T>() > self.mapped {
            self.make_room()?;
        }
        // SAFETY: the memory reaches beyond the element `len`.
        unsafe { self.start.add(self.len).write(value) };
        self.len += 1;
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn make_room(&mut self) -> Result<(), NoMemory> {
        self.reserve(1)
    }

    /// Moves all elements of another one behind its own.
    pub(super) fn append(&mut self, other: &mut Self) -> Result<(), NoMemory> {
        self.reserve(other.len)?;
        let (from, len) = (other.start, other.len);
        // SAFETY: the memory reaches beyond these elements, and is another mapping.
        unsafe { self.start.add(self.len).copy_from_nonoverlapping(from, len) };
        self.len += len;
        other.clear();
        Ok(())
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        let last = self.last().copied()?;
        self.len -= 1;
        Some(last)
    }

    pub(crate) fn clear(&mut self) {
        self.len = 0;
    }
}

impl<T> Deref for Vector<T> {
    type Target = [T];

    #[inline(always)]
    fn deref(&self) -> &[T] {
        // SAFETY: the first `len` elements were written, or are zero, which is a value.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

impl<T> DerefMut for Vector<T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut [T] {
        // SAFETY: as above.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.len) }
    }
}

impl<T> Drop for Vector<T> {
    fn drop(&mut self) {
        if self.mapped > 0 {
            // SAFETY: the mapping is ours, and nobody borrows from it any more.
            unsafe { memory::release(self.start.cast(), self.mapped) };
        }
    }
}

/// A bit for each block.
#[derive(Debug)]
pub(crate) struct Bits(Vector<u64>);

const BITS: usize = u64::BITS as usize;

impl Bits {
    pub(crate) fn zeroed(len: usize) -> Result<Self, NoMemory> {
        Ok(Self(Vector::zeroed(len.div_ceil(BITS))?))
    }

    #[inline(always)]
    pub(crate) fn is_set(&self, bit: usize) -> bool {
        self.0[bit / BITS] >> (bit % BITS) & 1 == 1
    }

    #[inline(always)]
    pub(crate) fn set(&mut self, bit: usize) {
        self.0[bit / BITS] |= 1 << (bit % BITS);
    }

    #[inline(always)]
    pub(crate) fn clear(&mut self, bit: usize) {
        self.0[bit / BITS] &= !(1 << (bit % BITS));
    }

    /// The bits, [`BITS`] to a word.
    pub(super) fn words(&mut self) -> &mut [u64] {
        &mut self.0
    }

    /// Clears all bits.
    pub(crate) fn wipe(&mut self) {
        self.0.fill(0);
    }

    /// The first set bit at or behind `from`.
    pub(crate) fn next(&self, from: usize) -> Option<usize> {
        let first = from / BITS;
        let mut left = self.0.get(first)? >> (from % BITS) << (from % BITS);
        let mut at = first;
        while left == 0 {
            at += 1;
            left = *self.0.get(at)?;
        }
        Some(at * BITS + left.trailing_zeros() as usize)
    }

    /// Makes this a copy of another of the same length.
    pub(crate) fn copy_from(&mut self, other: &Self) {
        self.0.copy_from_slice(&other.0);
    }

    /// The set bits of `from..from + len`, relative to `from`.
    pub(crate) fn ones(&self, from: usize, len: usize) -> Ones<'_> {
        debug_assert!(from.is_multiple_of(BITS));
        let words = self.0.get(from / BITS..(from + len).div_ceil(BITS)).unwrap_or_default();
        Ones { words, at: 0, left: words.first().copied().unwrap_or_default() }
    }
}

/// See [`Bits::ones`].
#[derive(Debug)]
pub(crate) struct Ones<'a> {
    words: &'a [u64],
    at: usize,
    left: u64,
}

impl Iterator for Ones<'_> {
    type Item = usize;

    #[inline(always)]
    fn next(&mut self) -> Option<usize> {
        while self.left == 0 {
            self.at += 1;
            self.left = *self.words.get(self.at)?;
        }
        let bit = self.left.trailing_zeros() as usize;
        self.left &= self.left - 1;
        Some(self.at * BITS + bit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    #[test]
    fn vectors_grow_and_keep_what_they_hold() {
        let mut vector = Vector::new();
        assert_eq!(vector.pop(), None);
        for number in 0..100_000u32 {
            vector.push(number).unwrap();
        }
        assert!(vector.iter().copied().eq(0..100_000));
        assert_eq!(vector.pop(), Some(99_999));
        vector.clear();
        assert!(vector.is_empty());
    }

    #[test]
    fn what_room_was_made_for_is_not_moved() {
        let mut vector = Vector::with_room(100_000).unwrap();
        let place = vector.place();
        (0..100_000u32).for_each(|number| vector.push(number).unwrap());
        assert_eq!(vector.place(), place);
        vector.reserve(1_000_000).unwrap();
        assert!(vector.iter().copied().eq(0..100_000));
        assert_eq!(vector.reserve(usize::MAX), Err(NoMemory));
        assert_eq!(Vector::<u64>::with_room(usize::MAX / 8).err(), Some(NoMemory));
    }

    #[test]
    fn zeroed_vectors_are_zero() {
        assert!(Vector::<u64>::zeroed(0).unwrap().is_empty());
        assert_eq!(*Vector::<u64>::zeroed(777).unwrap(), [0; 777]);
        assert_eq!(Vector::<u64>::zeroed(usize::MAX).err(), Some(NoMemory));
    }

    proptest! {
        #[test]
        fn ones_are_the_bits_that_were_set(
            bits in proptest::collection::btree_set(0usize..500, 0..60),
            start in 0usize..7,
        ) {
            let mut map = Bits::zeroed(500).unwrap();
            bits.iter().for_each(|bit| map.set(*bit));
            let from = start * BITS;
            let found: Vec<_> = map.ones(from, 500 - from).map(|bit| from + bit).collect();
            let expected: Vec<_> = bits.iter().copied().filter(|bit| *bit >= from).collect();
            prop_assert_eq!(found, expected);
            for from in 0..520 {
                prop_assert_eq!(map.next(from), bits.range(from..).next().copied());
            }
            bits.iter().for_each(|bit| map.clear(*bit));
            prop_assert_eq!(map.ones(0, 500).next(), None);
        }
    }
}
