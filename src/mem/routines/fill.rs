//! Filling with a byte, or with a pattern of up to eight bytes.
//!
//! Shorter than a register by steps, up to eight registers by overlapping stores, then four
//! registers a turn with the target aligned. A byte in bulk is the processor's own `rep stosb`: it
//! owns lines without reading them, and knows that lines of zeros are cheap. A pattern in bulk goes
//! past the caches, once they are surely too small.
//!
//! Stores that are not a multiple of eight from the start see the pattern turned.

use super::copy::fence;
use super::limits::Limits;
use super::vector::{Vector, opaque, put, turned};

/// # Safety
/// `len` bytes from `to` on may be written; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn fill<V: Vector, const IS_BYTE: bool>(
    to: *mut u8,
    pattern: u64,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    let b = V::BYTES;
    // SAFETY: the caller's; every offset is below `len`, by a register at least.
    unsafe {
        if len <= b {
            V::fill_small(to, pattern, len);
            return to;
        }
        let front = V::splat(pattern);
        let back = if IS_BYTE { front } else { V::splat(turned(pattern, len)) };
        V::store(to, front);
        V::store(to.add(len - b), back);
        if len > 2 * b {
            V::store(to.add(b), front);
            V::store(to.add(len - 2 * b), back);
        }
        if len > 4 * b {
            V::store(to.add(2 * b), front);
            V::store(to.add(3 * b), front);
            V::store(to.add(len - 4 * b), back);
            V::store(to.add(len - 3 * b), back);
        }
        if len > 8 * b {
            // The ends are done; between them whole registers are left, aligned.
            let skip = 4 * b - to.addr() % b;
            let middle = if IS_BYTE { front } else { V::splat(turned(pattern, skip)) };
            between::<V, IS_BYTE>(to, (skip, len - 4 * b), middle, pattern, limits);
        }
    }
    to
}

/// From one offset, of an aligned address, to another or a little beyond: the end is done already.
///
/// # Safety
/// As [`fill`]; four registers behind the end are the caller's, too.
#[inline(always)]
unsafe fn between<V: Vector, const IS_BYTE: bool>(
    to: *mut u8,
    (mut at, end): (usize, usize),
    value: V,
    pattern: u64,
    limits: &Limits,
) {
    let b = V::BYTES;
    let len = end - at;
    // SAFETY: the caller's. The last turn ends within four registers of the end.
    unsafe {
        if IS_BYTE && limits.fills_by_string(len) {
            by_string::<V>(to.add(at), pattern, len);
        } else if !IS_BYTE && limits.fills_past_caches(len) {
            while at < end {
                V::stream(to.add(at), value);
                V::stream(to.add(at + b), value);
                V::stream(to.add(at + 2 * b), value);
                V::stream(to.add(at + 3 * b), value);
                at = opaque(at + 4 * b);
            }
            fence();
        } else {
            while at < end {
                V::store(to.add(at), value);
                V::store(to.add(at + b), value);
                V::store(to.add(at + 2 * b), value);
                V::store(to.add(at + 3 * b), value);
                at = opaque(at + 4 * b);
            }
        }
    }
    // The turned ends lie under the last turn, which wrote the same bytes.
}

/// # Safety
/// As [`fill`].
#[inline(always)]
unsafe fn by_string<V: Vector>(to: *mut u8, pattern: u64, len: usize) {
    // SAFETY: the caller's.
    unsafe {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        core::arch::asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _,
            in("al") pattern as u8, options(nostack, preserves_flags));
        #[cfg(not(all(target_arch = "x86_64", not(miri))))]
        {
            let mut at = 0;
            while at < len {
                put(to.add(at), pattern as u8);
                at = opaque(at + 1);
            }
        }
    }
}

/// Up to a register, by overlapping pieces of the next smaller power of two.
///
/// # Safety
/// As [`fill`].
#[inline(always)]
pub(super) unsafe fn by_steps<V: Vector>(to: *mut u8, pattern: u64, len: usize) {
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        if V::BYTES > 16 && len >= 16 {
            let (front, back) = (V::Short::splat(pattern), V::Short::splat(turned(pattern, len)));
            V::Short::store(to, front);
            V::Short::store(to.add(len - 16), back);
            if V::BYTES > 32 && len > 32 {
                V::Short::store(to.add(16), front);
                V::Short::store(to.add(len - 32), back);
            }
        } else if len >= 8 {
            put(to, pattern);
            put(to.add(len - 8), turned(pattern, len));
        } else if len >= 4 {
            put(to, pattern as u32);
            put(to.add(len - 4), turned(pattern, len - 4) as u32);
        } else if len >= 2 {
            put(to, pattern as u16);
            put(to.add(len - 2), turned(pattern, len - 2) as u16);
        } else if len == 1 {
            put(to, pattern as u8);
        }
    }
}
