//! A register of 64 bytes with masked shortcuts, as AVX-512 has it, made of plain bytes: the paths
//! of that instance, on any processor.

use super::super::find;
use super::super::instance::instance;
use super::super::limits::Limits;
use super::super::vector::{Far, Vector, is_within_page};
use super::super::{compare, copy, fill, verify};
use super::bytes::Bytes;

type Wide = Bytes<64>;

instance! { wide of Wide }

impl<const N: usize> Bytes<N> {
    /// The first `len` bytes; no other is touched.
    unsafe fn load_first(from: *const u8, len: usize) -> Self {
        // SAFETY: the caller's.
        Self(core::array::from_fn(|at| if at < len { unsafe { from.add(at).read() } } else { 0 }))
    }

    unsafe fn store_first(self, to: *mut u8, len: usize) {
        for (at, byte) in self.0.into_iter().take(len).enumerate() {
            // SAFETY: the caller's.
            unsafe { to.add(at).write(byte) };
        }
    }
}

impl<const N: usize> Vector for Bytes<N> {
    const BYTES: usize = N;
    const SHIFT: u32 = 0;
    type Short = Bytes<16>;

    unsafe fn load(from: *const u8) -> Self {
        // SAFETY: the caller's.
        Self(unsafe { from.cast::<[u8; N]>().read() })
    }

    unsafe fn store(to: *mut u8, value: Self) {
        // SAFETY: the caller's.
        unsafe { to.cast::<[u8; N]>().write(value.0) }
    }

    unsafe fn stream(to: *mut u8, value: Self) {
        assert!(to.addr().is_multiple_of(N), "a stream is aligned");
        // SAFETY: the caller's.
        unsafe { Self::store(to, value) }
    }

    unsafe fn splat(pattern: u64) -> Self {
        Self(core::array::from_fn(|at| pattern.to_le_bytes()[at % 8]))
    }

    unsafe fn splat_byte(byte: u8) -> Self {
        Self([byte; N])
    }

    unsafe fn xor(a: Self, b: Self) -> Self {
        a.map2(b, |x, y| x ^ y)
    }

    unsafe fn or(a: Self, b: Self) -> Self {
        a.map2(b, |x, y| x | y)
    }

    unsafe fn min(a: Self, b: Self) -> Self {
        a.map2(b, u8::min)
    }

    unsafe fn zeros(value: Self) -> u64 {
        value.which(|byte| byte == 0)
    }

    unsafe fn others(value: Self) -> u64 {
        value.which(|byte| byte != 0)
    }

    unsafe fn is_any(value: Self) -> bool {
        value.0.iter().any(|byte| *byte != 0)
    }

    unsafe fn copy_small(to: *mut u8, from: *const u8, len: usize) {
        // SAFETY: the caller's.
        unsafe {
            if is_within_page(to, N) && is_within_page(from, N) {
                Self::load_first(from, len).store_first(to, len);
            } else {
                copy::by_steps::<Self>(to, from, len);
            }
        }
    }

    unsafe fn fill_small<const IS_BYTE: bool>(to: *mut u8, pattern: u64, len: usize) {
        // SAFETY: the caller's.
        unsafe {
            if is_within_page(to, N) {
                fill::repeat::<Self, IS_BYTE>(pattern).store_first(to, len);
            } else {
                fill::by_steps::<Self, IS_BYTE>(to, pattern, len);
            }
        }
    }

    unsafe fn differs_small(a: *const u8, b: *const u8, len: usize) -> bool {
        // SAFETY: the caller's.
        unsafe {
            if is_within_page(a, N) && is_within_page(b, N) {
                Self::is_any(Self::xor(Self::load_first(a, len), Self::load_first(b, len)))
            } else {
                compare::by_steps::<Self, compare::Differs>(a, b, len)
            }
        }
    }

    unsafe fn verify_small(from: *const u8, pattern: u64, len: usize) -> usize {
        // SAFETY: the caller's.
        unsafe {
            if is_within_page(from, N) {
                let other = Self::xor(Self::load_first(from, len), Self::splat(pattern));
                (Self::others(other).trailing_zeros() as usize).min(len)
            } else {
                verify::by_steps::<Self>(from, pattern, len)
            }
        }
    }
}
