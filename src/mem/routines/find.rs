//! Looking for a byte: from the front, from the back, and for the zero at the end of a string.
//!
//! `memchr` may be told more bytes than there are if the one it looks for comes before (C11
//! 7.24.5.1), and a string ends where it ends. So only registers at aligned addresses are read, and
//! only turns of four registers that lie in a line of four: they reach beyond what was asked for,
//! but into no other page. What does not belong is shifted out of the mask.

use super::vector::{Vector, first, four, last, opaque, row};
use core::ptr;

/// The first byte that is `byte`, or null.
///
/// # Safety
/// The bytes up to it, or `len`, may be read; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn find<V: Vector>(from: *const u8, byte: u8, len: usize) -> *const u8 {
    if len == 0 {
        return ptr::null();
    }
    let size = V::BYTES;
    let over = from.addr() % size;
    // SAFETY: the caller's; each register that is read holds a byte that may be.
    unsafe {
        let wanted = V::splat(u64::from_ne_bytes([byte; 8]));
        let mut block = from.wrapping_sub(over);
        let found = V::zeros(V::xor(V::load(block), wanted)) >> (over << V::SHIFT);
        if found != 0 {
            let at = first::<V>(found);
            return if at < len { from.add(at) } else { ptr::null() };
        }
        // How many are left behind the block.
        let mut left = len.saturating_sub(size - over);
        while left > 0 {
            block = block.wrapping_add(size);
            if left > 4 * size && block.addr().is_multiple_of(4 * size) {
                (block, left) = skip::<V>(block, wanted, left);
            }
            let found = V::zeros(V::xor(V::load(block), wanted));
            if found != 0 {
                let at = first::<V>(found);
                return if at < left { block.add(at) } else { ptr::null() };
            }
            left = left.saturating_sub(size);
        }
        ptr::null()
    }
}

/// Where one of four registers holds what is wanted.
///
/// # Safety
/// As [`Vector`]'s.
#[inline(always)]
unsafe fn zeros_of_four<V: Vector>(of: [V; 4], wanted: V) -> u64 {
    // SAFETY: the caller's.
    unsafe {
        let front = V::min(V::xor(of[0], wanted), V::xor(of[1], wanted));
        let back = V::min(V::xor(of[2], wanted), V::xor(of[3], wanted));
        V::zeros(V::min(front, back))
    }
}

/// Goes on four registers a turn, while they do not hold what is wanted and more are left.
///
/// # Safety
/// As [`find`]; `block` is aligned to four registers.
#[inline(always)]
unsafe fn skip<V: Vector>(mut block: *const u8, wanted: V, mut left: usize) -> (*const u8, usize) {
    let size = V::BYTES;
    // SAFETY: the caller's.
    unsafe {
        while left > 4 * size {
            if zeros_of_four(four::<V>(block, row::<V>(0)), wanted) != 0 {
                break;
            }
            block = block.wrapping_add(4 * size);
            left = opaque(left - 4 * size);
        }
    }
    (block, left)
}

/// The last byte that is `byte`, or null.
///
/// # Safety
/// `len` bytes may be read; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn find_last<V: Vector>(from: *const u8, byte: u8, len: usize) -> *const u8 {
    if len == 0 {
        return ptr::null();
    }
    let size = V::BYTES;
    // SAFETY: the caller's; each register that is read holds a byte that may be.
    unsafe {
        let wanted = V::splat(u64::from_ne_bytes([byte; 8]));
        let end = from.wrapping_add(len);
        // Of the block that holds the last byte, so many belong.
        let within = (end.addr() - 1) % size + 1;
        let mut block = end.wrapping_sub(within);
        let mask = u64::MAX >> (u64::BITS - ((within as u32) << V::SHIFT));
        let mut found = V::zeros(V::xor(V::load(block), wanted)) & mask;
        loop {
            if found != 0 {
                let at = block.wrapping_add(last::<V>(found));
                return if at >= from { at } else { ptr::null() };
            }
            if block <= from {
                return ptr::null();
            }
            let left = block.addr() - from.addr();
            if left > 4 * size && block.addr().is_multiple_of(4 * size) {
                block = skip_back::<V>(block, wanted, left);
            }
            block = block.wrapping_sub(size);
            found = V::zeros(V::xor(V::load(block), wanted));
        }
    }
}

/// Goes back four registers a turn; stops behind what is wanted, or where four or less are left.
///
/// # Safety
/// As [`find_last`]; `block` is aligned to four registers, and `left` bytes lie before it.
#[inline(always)]
unsafe fn skip_back<V: Vector>(mut block: *const u8, wanted: V, mut left: usize) -> *const u8 {
    let size = V::BYTES;
    // SAFETY: the caller's.
    unsafe {
        while left > 4 * size {
            if zeros_of_four(four::<V>(block.sub(4 * size), row::<V>(0)), wanted) != 0 {
                break;
            }
            block = block.wrapping_sub(4 * size);
            left = opaque(left - 4 * size);
        }
    }
    block
}

/// How many bytes come before the first zero.
///
/// # Safety
/// There is one, and the bytes up to it may be read; and as [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn length<V: Vector>(from: *const u8) -> usize {
    let size = V::BYTES;
    let over = from.addr() % size;
    // SAFETY: the caller's; each register that is read holds a byte that may be.
    unsafe {
        let mut block = from.wrapping_sub(over);
        let found = V::zeros(V::load(block)) >> (over << V::SHIFT);
        if found != 0 {
            return first::<V>(found);
        }
        loop {
            block = block.wrapping_add(size);
            if block.addr().is_multiple_of(4 * size) {
                break;
            }
            let found = V::zeros(V::load(block));
            if found != 0 {
                return block.addr() - from.addr() + first::<V>(found);
            }
        }
        loop {
            let all = four::<V>(block, row::<V>(0));
            if V::zeros(V::min(V::min(all[0], all[1]), V::min(all[2], all[3]))) != 0 {
                break;
            }
            block = block.wrapping_add(opaque(4 * size));
        }
        loop {
            let found = V::zeros(V::load(block));
            if found != 0 {
                return block.addr() - from.addr() + first::<V>(found);
            }
            block = block.wrapping_add(size);
        }
    }
}
