//! A machine word as a register of eight bytes: for processors that have no instance of their own,
//! for what the platform lacks under `simd=off`, and for Miri.

use super::vector::{Vector, get, put};

/// Eight bytes, the first in the lowest.
#[derive(Clone, Copy)]
pub(super) struct Words(u64);

const LOW: u64 = 0x7f7f_7f7f_7f7f_7f7f;

impl Vector for Words {
    const BYTES: usize = 8;
    const SHIFT: u32 = 3;
    type Short = Self;

    #[inline(always)]
    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's.
        Self(u64::from_le(unsafe { get(from) }))
    }

    #[inline(always)]
    unsafe fn store(to: *mut u8, value: Self) {
        // SAFETY: the caller's.
        unsafe { put(to, value.0.to_le()) }
    }

    #[inline(always)]
    unsafe fn stream(to: *mut u8, value: Self) {
        // SAFETY: the caller's.
        unsafe { Self::store(to, value) }
    }

    #[inline(always)]
    unsafe fn splat(pattern: u64) -> Self {
        Self(pattern)
    }

    #[inline(always)]
    unsafe fn splat_byte(byte: u8) -> Self {
        Self(u64::from_ne_bytes([byte; 8]))
    }

    #[inline(always)]
    unsafe fn xor(a: Self, b: Self) -> Self {
        Self(a.0 ^ b.0)
    }

    #[inline(always)]
    unsafe fn or(a: Self, b: Self) -> Self {
        Self(a.0 | b.0)
    }

    #[inline(always)]
    unsafe fn min(a: Self, b: Self) -> Self {
        let (a, b) = (a.0.to_le_bytes(), b.0.to_le_bytes());
        Self(u64::from_le_bytes([0, 1, 2, 3, 4, 5, 6, 7].map(|at: usize| a[at].min(b[at]))))
    }

    /// The highest bit of each byte that is zero. No carry goes from one byte to the next.
    #[inline(always)]
    unsafe fn zeros(value: Self) -> u64 {
        !(((value.0 & LOW) + LOW) | value.0 | LOW)
    }

    #[inline(always)]
    unsafe fn others(value: Self) -> u64 {
        (((value.0 & LOW) + LOW) | value.0) & !LOW
    }

    #[inline(always)]
    unsafe fn is_any(value: Self) -> bool {
        value.0 != 0
    }
}
