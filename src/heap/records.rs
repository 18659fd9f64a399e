//! The engine's own memory: heap records and the observer's columns.
//!
//! Sizes are rounded to powers of two, each with a stack of free pieces; pieces are cut from spans
//! that are never given back, so a stale pointer to a record still points at a record.
//!
//! Columns end when each of their blocks has, so what was columns says of no block that it is in
//! use, and becomes columns again as it is: a slab that comes and goes need not zero as much as it
//! has memory.

use super::class::SLICE;
use super::slab::Kind;
use super::space::Space;
use super::zones::Purpose;
use crate::base::sync::{AtomicBool, Ordering};
use crate::os::lock::Lock;
use core::cell::UnsafeCell;
use core::ptr;

/// The stacks of free pieces, and the span being cut.
#[derive(Debug)]
pub(crate) struct Records {
    lock: Lock,
    pieces: UnsafeCell<Pieces>,
    /// What were columns is zeroed, too.
    is_strict: AtomicBool,
}

#[derive(Debug)]
struct Pieces {
    free: [*mut FreePiece; SIZES],
    /// Those that were columns, and are handed out as such again, as they are.
    columns: [*mut FreePiece; SIZES],
    next: *mut u8,
    left: usize,
}

struct FreePiece {
    next: *mut FreePiece,
}

const SMALLEST_LOG: u32 = 6;
const SIZES: usize = 20;
/// Slices of the spans that small pieces are cut from.
const CHUNK: usize = 4;

// SAFETY: `pieces` is reached only under the lock.
unsafe impl Sync for Records {}

const fn size_index(len: usize) -> usize {
    let smallest = 1usize << SMALLEST_LOG;
    let rounded = if len < smallest { smallest } else { len.next_power_of_two() };
    (rounded.ilog2() - SMALLEST_LOG) as usize
}

impl Records {
    pub(crate) const fn new() -> Self {
        let none = [ptr::null_mut(); SIZES];
        let pieces = Pieces { free: none, columns: none, next: ptr::null_mut(), left: 0 };
        Self {
            lock: Lock::new(),
            pieces: UnsafeCell::new(pieces),
            is_strict: AtomicBool::new(false),
        }
    }

    /// `len` zeroed bytes, 64-aligned; null when memory ran out.
    pub(super) fn allocate(&self, space: &Space, len: usize) -> *mut u8 {
        let index = size_index(len);
        let Some(_lock) = self.lock.acquire() else { return ptr::null_mut() };
        // SAFETY: the lock is held.
        let pieces = unsafe { &mut *self.pieces.get() };
        pieces.allocate(space, index, len)
    }

    /// `len` bytes for columns, 64-aligned: zeros, or as [`Self::free_columns`] was given them, but
    /// for the first word.
    pub(super) fn allocate_columns(&self, space: &Space, len: usize) -> *mut u8 {
        let index = size_index(len);
        let Some(_lock) = self.lock.acquire() else { return ptr::null_mut() };
        // SAFETY: the lock is held.
        let pieces = unsafe { &mut *self.pieces.get() };
        match pieces.columns.get_mut(index).map(pop) {
            Some(piece) if !piece.is_null() => piece,
            _ => pieces.allocate(space, index, len),
        }
    }

    /// Takes back what `allocate_columns(.., len)` gave.
    ///
    /// # Safety
    /// Nobody uses the piece for what it was any more.
    pub(super) unsafe fn free_columns(&self, piece: *mut u8, len: usize) {
        let Some(_lock) = self.lock.acquire() else { return };
        // SAFETY: the lock is held.
        let pieces = unsafe { &mut *self.pieces.get() };
        let stacks = match self.is_strict.load(Ordering::Relaxed) {
            false => &mut pieces.columns,
            true => &mut pieces.free,
        };
        // SAFETY: the caller's.
        unsafe { push(&mut stacks[size_index(len)], piece) };
    }

    /// From now on columns may end of which not every block has: what is handed out is zeroed.
    #[cold]
    pub(super) fn distrust_columns(&self) {
        self.is_strict.store(true, Ordering::Relaxed);
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }
}

/// Takes a piece off a stack; null if there is none.
fn pop(stack: &mut *mut FreePiece) -> *mut u8 {
    let piece = *stack;
    // SAFETY: a piece on a stack is free and its link was written by `push`.
    if let Some(free) = unsafe { piece.as_ref() } {
        *stack = free.next;
    }
    piece.cast()
}

/// # Safety
/// The piece is in no use and on no stack.
unsafe fn push(stack: &mut *mut FreePiece, piece: *mut u8) {
    let piece = piece.cast::<FreePiece>();
    // SAFETY: pieces are 64-aligned and at least 64 bytes; the caller has given it up.
    unsafe { (*piece).next = *stack };
    *stack = piece;
}

impl Pieces {
    /// `len` zeroed bytes of that size; null when memory ran out.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn allocate(&mut self, space: &Space, index: usize, len: usize) -> *mut u8 {
        let piece = match self.free.get_mut(index).map(pop) {
            Some(piece) if !piece.is_null() => piece,
            Some(_) => return self.cut(space, 1 << (index as u32 + SMALLEST_LOG)),
            None => return ptr::null_mut(),
        };
        // SAFETY: the piece is ours and at least `len` long.
        unsafe { piece.write_bytes(0, len) };
        piece
    }

    /// A fresh piece. Fresh spans read as zero, or are made to.
    fn cut(&mut self, space: &Space, size: usize) -> *mut u8 {
        if size > self.left {
            let slices = size.div_ceil(SLICE).max(CHUNK);
            let Some((span, clean)) = space.allocate(slices, 1, Purpose::Any) else {
                return ptr::null_mut();
            };
            span.become_plain(Kind::Records);
            if !clean {
                // SAFETY: the span is committed and ours.
                unsafe { span.start().write_bytes(0, span.len()) };
            }
            if span.len() == size {
                return span.start();
            }
            self.keep_rest();
            (self.next, self.left) = (span.start(), span.len());
        }
        let piece = self.next;
        self.next = piece.wrapping_add(size);
        self.left -= size;
        piece
    }

    /// Puts what is left of the span being cut on the stacks, as the powers of two it consists of.
    fn keep_rest(&mut self) {
        while self.left >= 1 << SMALLEST_LOG {
            let size = 1usize << self.left.ilog2();
            // SAFETY: the rest of the span is ours and unused.
            unsafe { push(&mut self.free[size_index(size)], self.next) };
            self.next = self.next.wrapping_add(size);
            self.left -= size;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::engine::Engine;
    use core::slice;
    use std::boxed::Box;
    use std::vec::Vec;

    const LEN: usize = 3000;

    /// # Safety
    /// The piece is the caller's, and `LEN` long.
    unsafe fn words<'a>(piece: *mut u8) -> &'a mut [usize] {
        // SAFETY: the caller's; pieces are aligned.
        unsafe { slice::from_raw_parts_mut(piece.cast(), LEN / size_of::<usize>()) }
    }

    #[test]
    fn only_columns_come_back_as_they_were_and_not_once_they_are_distrusted() {
        let engine = Box::new(Engine::new(()));
        let Engine { records, space, .. } = &*engine;
        let columns = || records.allocate_columns(space, LEN);
        let pieces = [columns(), columns()];
        for piece in pieces {
            // SAFETY: it is ours, and given up behind this.
            unsafe {
                assert!(words(piece).iter().all(|word| *word == 0), "fresh ones are zero");
                words(piece).fill(7);
                records.free_columns(piece, LEN);
            }
        }
        let other = records.allocate(space, LEN);
        assert!(!pieces.contains(&other), "what is zeroed is not what was columns");
        let again = [columns(), columns()];
        for piece in again {
            assert!(pieces.contains(&piece));
            // SAFETY: as above.
            assert!(unsafe { words(piece) }[1..].iter().all(|word| *word == 7));
        }
        records.distrust_columns();
        for piece in again {
            // SAFETY: as above.
            unsafe { records.free_columns(piece, LEN) };
        }
        let zeroed: Vec<_> = again.iter().map(|_| columns()).collect();
        for piece in zeroed {
            assert!(again.contains(&piece));
            // SAFETY: as above.
            assert!(unsafe { words(piece) }.iter().all(|word| *word == 0));
        }
    }
}
