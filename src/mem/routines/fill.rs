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
use super::vector::{Far, Vector, opaque, put, put_four, row, turned};

/// Of a byte (`IS_BYTE`), the lowest eight bits of the pattern count.
///
/// # Safety
/// `len` bytes from `to` on may be written; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn fill<V: Far, const IS_BYTE: bool>(
    to: *mut u8,
    pattern: u64,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        if len <= V::BYTES {
            V::fill_small::<IS_BYTE>(to, pattern, len);
        } else if len <= 8 * V::BYTES {
            some::<V, IS_BYTE>(to, pattern, len);
        } else {
            return long::<V, IS_BYTE>(to, pattern, len, limits);
        }
    }
    to
}

/// # Safety
/// As [`fill`], with more than eight registers.
#[inline(always)]
pub(super) unsafe fn long<V: Far, const IS_BYTE: bool>(
    to: *mut u8,
    pattern: u64,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        if IS_BYTE && len >= limits.fill_string() {
            return V::set_far(to, pattern, len, limits);
        } else if !IS_BYTE && len >= limits.fill_stream() {
            return V::fill_far(to, pattern, len, limits);
        }
        many::<V, IS_BYTE>(to, pattern, len);
    }
    to
}

/// # Safety
/// As [`fill`], with two to eight registers.
#[inline(always)]
unsafe fn some<V: Vector, const IS_BYTE: bool>(to: *mut u8, pattern: u64, len: usize) {
    let b = V::BYTES;
    // SAFETY: the caller's; every offset is below `len`, by a register at least.
    unsafe {
        let front = repeat::<V, IS_BYTE>(pattern);
        let back = if IS_BYTE { front } else { V::splat(turned(pattern, len)) };
        if len <= 2 * b {
            V::store(to, front);
            V::store(to.add(len - b), back);
        } else if len <= 4 * b {
            put_four(to, [0, b, len - 2 * b, len - b], [front, front, back, back]);
        } else {
            put_four(to, row::<V>(0), [front; 4]);
            put_four(to, row::<V>(len - 4 * b), [back; 4]);
        }
    }
}

/// # Safety
/// As [`fill`], with more than eight registers.
#[inline(always)]
unsafe fn many<V: Vector, const IS_BYTE: bool>(to: *mut u8, pattern: u64, len: usize) {
    let b = V::BYTES;
    // SAFETY: the caller's. Behind four registers whole ones follow, aligned, until four are left.
    unsafe {
        let front = repeat::<V, IS_BYTE>(pattern);
        put_four(to, row::<V>(0), [front; 4]);
        let skip = 4 * b - to.addr() % b;
        let value = if IS_BYTE { front } else { V::splat(turned(pattern, skip)) };
        let (mut at, end) = (skip, len - 4 * b);
        while at < end {
            put_four(to, row::<V>(at), [value; 4]);
            at = opaque(at + 4 * b);
        }
        let back = if IS_BYTE { front } else { V::splat(turned(pattern, len)) };
        put_four(to, row::<V>(end), [back; 4]);
    }
}

/// A byte in bulk, or what may be: nothing is known of the caches before this is asked for.
///
/// # Safety
/// As [`fill`], with more than eight registers.
#[inline(always)]
pub(super) unsafe fn set_far<V: Vector>(
    to: *mut u8,
    pattern: u64,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    limits.learn();
    // SAFETY: the caller's.
    unsafe {
        if len >= limits.fill_string() {
            by_string(to, pattern, len);
        } else {
            many::<V, true>(to, pattern, len);
        }
    }
    to
}

/// A pattern in bulk.
///
/// # Safety
/// As [`fill`], with more than eight registers.
#[inline(always)]
pub(super) unsafe fn fill_far<V: Vector>(
    to: *mut u8,
    pattern: u64,
    len: usize,
    limits: &Limits,
) -> *mut u8 {
    limits.learn();
    let b = V::BYTES;
    // SAFETY: the caller's; the limit is a multiple of what the processor's caches hold.
    unsafe {
        if len < limits.fill_stream() {
            many::<V, false>(to, pattern, len);
            return to;
        }
        put_four(to, row::<V>(0), [V::splat(pattern); 4]);
        let skip = 4 * b - to.addr() % b;
        let value = V::splat(turned(pattern, skip));
        let (mut at, end) = (skip, len - 4 * b);
        while at < end {
            V::stream(to.add(at), value);
            V::stream(to.add(at + b), value);
            V::stream(to.add(at + 2 * b), value);
            V::stream(to.add(at + 3 * b), value);
            at = opaque(at + 4 * b);
        }
        fence();
        put_four(to, row::<V>(end), [V::splat(turned(pattern, len)); 4]);
    }
    to
}

/// The whole of it in one: from a number of bytes on, which it is given before it starts, the
/// instruction goes past the caches by itself.
///
/// # Safety
/// As [`fill`].
#[inline(always)]
unsafe fn by_string(to: *mut u8, pattern: u64, len: usize) {
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
pub(super) unsafe fn by_steps<V: Vector, const IS_BYTE: bool>(
    to: *mut u8,
    pattern: u64,
    len: usize,
) {
    let all = if IS_BYTE { u64::from(pattern as u8) * 0x0101_0101_0101_0101 } else { pattern };
    let at = |offset| if IS_BYTE { all } else { turned(pattern, offset) };
    // SAFETY: the caller's; each piece is at most `len` bytes.
    unsafe {
        if V::BYTES > 16 && len >= 16 {
            let front = repeat::<V::Short, IS_BYTE>(pattern);
            let back = if IS_BYTE { front } else { V::Short::splat(at(len)) };
            V::Short::store(to, front);
            V::Short::store(to.add(len - 16), back);
            if V::BYTES > 32 && len > 32 {
                V::Short::store(to.add(16), front);
                V::Short::store(to.add(len - 32), back);
            }
        } else if len >= 8 {
            put(to, all);
            put(to.add(len - 8), at(len));
        } else if len >= 4 {
            put(to, all as u32);
            put(to.add(len - 4), at(len - 4) as u32);
        } else if len != 0 {
            // One, two or three.
            put(to, pattern as u8);
            put(to.add(len / 2), at(len / 2) as u8);
            put(to.add(len - 1), at(len - 1) as u8);
        }
    }
}

/// The pattern in a register.
///
/// # Safety
/// As [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn repeat<V: Vector, const IS_BYTE: bool>(pattern: u64) -> V {
    // SAFETY: the caller's.
    unsafe { if IS_BYTE { V::splat_byte(pattern as u8) } else { V::splat(pattern) } }
}
