//! Sixteen bytes of aarch64. A mask has four bits for each byte: narrowing a comparison by four
//! bits is one instruction, where gathering one bit of each is many.

#[cfg(not(target_arch = "aarch64"))]
use super::tests::aarch64::*;
use super::vector::Vector;
#[cfg(target_arch = "aarch64")]
use core::arch::aarch64::{
    uint8x16_t, vceqzq_u8, vdupq_n_u8, vdupq_n_u64, veorq_u8, vget_lane_u64, vld1q_u8, vmaxvq_u8,
    vminq_u8, vorrq_u8, vreinterpret_u64_u8, vreinterpretq_u8_u64, vreinterpretq_u16_u8,
    vshrn_n_u16, vst1q_u8,
};

/// A register of NEON.
#[derive(Clone, Copy)]
pub(super) struct Neon(uint8x16_t);

/// Implements [`Vector`] by intrinsics.
macro_rules! by_intrinsics {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $out:ty)? = $body:expr;)*) => {
        impl Vector for Neon {
            const BYTES: usize = 16;
            const SHIFT: u32 = 2;
            type Short = Self;

            $(
                #[inline(always)]
                #[allow(unused_unsafe, reason = "where NEON is always there, some are safe")]
                unsafe fn $name($($argument: $type),*) $(-> $out)? {
                    // SAFETY: the caller's: memory is as the trait says; NEON is always there.
                    unsafe { $body }
                }
            )*
        }
    };
}

by_intrinsics! {
    load(from: *const u8) -> Self = Self(vld1q_u8(from));
    store(to: *mut u8, value: Self) = vst1q_u8(to, value.0);
    stream(to: *mut u8, value: Self) = vst1q_u8(to, value.0);
    splat(pattern: u64) -> Self = Self(vreinterpretq_u8_u64(vdupq_n_u64(pattern)));
    splat_byte(byte: u8) -> Self = Self(vdupq_n_u8(byte));
    xor(a: Self, b: Self) -> Self = Self(veorq_u8(a.0, b.0));
    or(a: Self, b: Self) -> Self = Self(vorrq_u8(a.0, b.0));
    min(a: Self, b: Self) -> Self = Self(vminq_u8(a.0, b.0));
    zeros(value: Self) -> u64 = {
        let narrow = vshrn_n_u16::<4>(vreinterpretq_u16_u8(vceqzq_u8(value.0)));
        vget_lane_u64::<0>(vreinterpret_u64_u8(narrow))
    };
    others(value: Self) -> u64 = !Self::zeros(value);
    is_any(value: Self) -> bool = vmaxvq_u8(value.0) != 0;
}
