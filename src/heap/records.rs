//! The engine's own memory: heap records and the observer's columns.
//!
//! Sizes are rounded to powers of two, each with a stack of free pieces; pieces are cut from spans
//! that are never given back, so a stale pointer to a record still points at a record.

use super::class::SLICE;
use super::slab::Kind;
use super::space::Space;
use super::zones::Purpose;
use crate::os::lock::Lock;
use core::cell::UnsafeCell;
use core::ptr;

/// The stacks of free pieces, and the span being cut.
#[derive(Debug)]
pub(crate) struct Records {
    lock: Lock,
    pieces: UnsafeCell<Pieces>,
}

#[derive(Debug)]
struct Pieces {
    free: [*mut FreePiece; SIZES],
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
        let pieces = Pieces { free: [ptr::null_mut(); SIZES], next: ptr::null_mut(), left: 0 };
        Self { lock: Lock::new(), pieces: UnsafeCell::new(pieces) }
    }

    /// `len` zeroed bytes, 64-aligned; null when memory ran out.
    pub(super) fn allocate(&self, space: &Space, len: usize) -> *mut u8 {
        let index = size_index(len);
        let Some(_lock) = self.lock.acquire() else { return ptr::null_mut() };
        // SAFETY: the lock is held.
        let pieces = unsafe { &mut *self.pieces.get() };
        let piece = match pieces.free.get(index) {
            Some(free) if !free.is_null() => {
                let piece = *free;
                // SAFETY: a piece on the stack is free and its link was written by `free`.
                pieces.free[index] = unsafe { (*piece).next };
                piece.cast::<u8>()
            }
            Some(_) => return pieces.cut(space, 1 << (index as u32 + SMALLEST_LOG)),
            None => return ptr::null_mut(),
        };
        // SAFETY: the piece is ours and at least `len` long.
        unsafe { piece.write_bytes(0, len) };
        piece
    }

    /// Takes back what `allocate(.., len)` gave.
    ///
    /// # Safety
    /// Nobody uses the piece for what it was any more.
    pub(super) unsafe fn free(&self, piece: *mut u8, len: usize) {
        let Some(_lock) = self.lock.acquire() else { return };
        // SAFETY: the lock is held.
        let pieces = unsafe { &mut *self.pieces.get() };
        let free = &mut pieces.free[size_index(len)];
        let piece = piece.cast::<FreePiece>();
        // SAFETY: pieces are 64-aligned and at least 64 bytes; the caller has given it up.
        unsafe { (*piece).next = *free };
        *free = piece;
    }

    pub(super) fn lock(&self) -> &Lock {
        &self.lock
    }
}

impl Pieces {
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
            let piece = self.next.cast::<FreePiece>();
            let free = &mut self.free[size_index(size)];
            // SAFETY: the rest of the span is ours and unused.
            unsafe { (*piece).next = *free };
            *free = piece;
            self.next = self.next.wrapping_add(size);
            self.left -= size;
        }
    }
}
