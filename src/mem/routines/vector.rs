//! What the algorithms need of a processor's vectors: a dozen operations, and four shortcuts.
//!
//! An instance says how; the algorithms ([`super::copy`] and its sisters) are written once. They
//! are inlined into functions that allow the instance's instructions ([`super::instance`]).

use super::limits::Limits;

/// A register of `BYTES` bytes.
///
/// # Safety of all functions
/// The processor has the instance's instructions, and what is read or written through a pointer may
/// be. Pointers need no alignment unless a function says so.
pub(super) trait Vector: Copy {
    /// Bytes of a register: a power of two, 16 to 64.
    const BYTES: usize;
    /// How many bits stand for one byte in a mask, as a power of two.
    const SHIFT: u32;
    /// Sixteen bytes, for what is shorter than a register.
    type Short: Vector;

    unsafe fn load(from: *const u8) -> Self;
    unsafe fn store(to: *mut u8, value: Self);
    /// Past the caches. `to` is aligned to `BYTES`.
    unsafe fn stream(to: *mut u8, value: Self);
    /// A pattern of eight bytes, over and over; its lowest byte comes first.
    unsafe fn splat(pattern: u64) -> Self;
    /// The same byte, over and over.
    unsafe fn splat_byte(byte: u8) -> Self;
    unsafe fn xor(a: Self, b: Self) -> Self;
    unsafe fn or(a: Self, b: Self) -> Self;
    /// The lesser of each two bytes, unsigned.
    unsafe fn min(a: Self, b: Self) -> Self;
    /// Which bytes are zero, the first at the lowest bits.
    unsafe fn zeros(value: Self) -> u64;
    /// Which bytes are not.
    unsafe fn others(value: Self) -> u64;
    /// Whether any byte is not.
    unsafe fn is_any(value: Self) -> bool;

    /// Copies up to `BYTES` bytes, overlapping or not.
    #[inline(always)]
    unsafe fn copy_small(to: *mut u8, from: *const u8, len: usize) {
        // SAFETY: the caller's.
        unsafe { super::copy::by_steps::<Self>(to, from, len) }
    }

    /// Fills up to `BYTES` bytes; the pattern's are all the same if `IS_BYTE`.
    #[inline(always)]
    unsafe fn fill_small<const IS_BYTE: bool>(to: *mut u8, pattern: u64, len: usize) {
        // SAFETY: the caller's.
        unsafe { super::fill::by_steps::<Self, IS_BYTE>(to, pattern, len) }
    }

    /// Whether up to `BYTES` bytes differ.
    #[inline(always)]
    unsafe fn differs_small(a: *const u8, b: *const u8, len: usize) -> bool {
        // SAFETY: the caller's.
        unsafe { super::compare::by_steps::<Self, super::compare::Differs>(a, b, len) }
    }

    /// The first of up to `BYTES` bytes that is not the pattern's; `len` if none.
    #[inline(always)]
    unsafe fn verify_small(from: *const u8, pattern: u64, len: usize) -> usize {
        // SAFETY: the caller's.
        unsafe { super::verify::by_steps::<Self>(from, pattern, len) }
    }
}

/// What is large goes on in functions of its own, which may call others. That costs registers saved
/// at their start, and what is small should not pay for it.
///
/// # Safety of all functions
/// As those of that name, [`super::copy::far`] and its like.
pub(super) trait Far: Vector {
    unsafe fn copy_far(to: *mut u8, from: *const u8, len: usize, limits: &Limits) -> *mut u8;
    unsafe fn set_far(to: *mut u8, pattern: u64, len: usize, limits: &Limits) -> *mut u8;
    unsafe fn fill_far(to: *mut u8, pattern: u64, len: usize, limits: &Limits) -> *mut u8;
}

/// The pattern as it looks `offset` bytes on.
#[inline(always)]
pub(super) const fn turned(pattern: u64, offset: usize) -> u64 {
    pattern.rotate_right(8 * (offset % 8) as u32)
}

/// How many bytes lie before the first one of a mask that is not empty.
#[inline(always)]
pub(super) const fn first<V: Vector>(mask: u64) -> usize {
    (mask.trailing_zeros() >> V::SHIFT) as usize
}

/// The number of the last byte of a mask that is not empty.
#[inline(always)]
pub(super) const fn last<V: Vector>(mask: u64) -> usize {
    ((u64::BITS - 1 - mask.leading_zeros()) >> V::SHIFT) as usize
}

/// Four registers from four offsets. No closure: that would not be allowed the instructions.
///
/// # Safety
/// As [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn four<V: Vector>(from: *const u8, at: [usize; 4]) -> [V; 4] {
    // SAFETY: the caller's.
    unsafe {
        [
            V::load(from.add(at[0])),
            V::load(from.add(at[1])),
            V::load(from.add(at[2])),
            V::load(from.add(at[3])),
        ]
    }
}

/// Four registers to four offsets.
///
/// # Safety
/// As [`Vector`]'s.
#[inline(always)]
pub(super) unsafe fn put_four<V: Vector>(to: *mut u8, at: [usize; 4], values: [V; 4]) {
    // SAFETY: the caller's.
    unsafe {
        V::store(to.add(at[0]), values[0]);
        V::store(to.add(at[1]), values[1]);
        V::store(to.add(at[2]), values[2]);
        V::store(to.add(at[3]), values[3]);
    }
}

/// The offsets of four registers in a row.
#[inline(always)]
pub(super) const fn row<V: Vector>(at: usize) -> [usize; 4] {
    [at, at + V::BYTES, at + 2 * V::BYTES, at + 3 * V::BYTES]
}

/// Reads a number that need not be aligned.
///
/// # Safety
/// Its bytes may be read.
#[inline(always)]
pub(super) unsafe fn get<T: Copy>(from: *const u8) -> T {
    // SAFETY: the caller's.
    unsafe { from.cast::<T>().read_unaligned() }
}

/// Writes a number that need not be aligned.
///
/// # Safety
/// Its bytes may be written.
#[inline(always)]
pub(super) unsafe fn put<T: Copy>(to: *mut u8, value: T) {
    // SAFETY: the caller's.
    unsafe { to.cast::<T>().write_unaligned(value) }
}

/// The same number, but the compiler cannot tell. It stands in every loop that moves or fills: seen
/// through, the loop would become a call of `memcpy` or `memset`, which may be ourselves.
#[inline(always)]
pub(super) fn opaque(number: usize) -> usize {
    let mut number = number;
    #[cfg(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri)))]
    // SAFETY: no instruction at all.
    unsafe {
        core::arch::asm!("/* {0} */", inout(reg) number,
            options(pure, nomem, nostack, preserves_flags));
    }
    #[cfg(not(all(any(target_arch = "x86_64", target_arch = "aarch64"), not(miri))))]
    {
        number = core::hint::black_box(number);
    }
    number
}

/// Whether `len` bytes from `address` on lie in one page of the smallest kind.
#[inline(always)]
pub(super) fn is_within_page(address: *const u8, len: usize) -> bool {
    const PAGE: usize = 4096;
    address.addr() % PAGE <= PAGE - len
}
