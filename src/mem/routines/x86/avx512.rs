//! Sixty-four bytes, and masks: up to a register is one load and one store, whatever the length.
//! That is where the wins for sizes that no branch predictor can learn come from.
//!
//! Lanes that a mask leaves out never fault, but if they lie in a page that may not be touched, the
//! processor finds that out in microcode, in some six hundred cycles. Guard pages are where blocks
//! of a careful allocator end, so what could reach into another page goes by steps.

use super::super::{compare, copy, fill, vector, verify};
use super::{Sse2, Vector, by_intrinsics};
use core::arch::x86_64::{
    __m512i, __mmask64, _mm512_loadu_si512, _mm512_mask_cmpneq_epi8_mask, _mm512_mask_storeu_epi8,
    _mm512_maskz_loadu_epi8, _mm512_min_epu8, _mm512_or_si512, _mm512_set1_epi8, _mm512_set1_epi64,
    _mm512_storeu_si512, _mm512_stream_si512, _mm512_test_epi8_mask, _mm512_testn_epi8_mask,
    _mm512_xor_si512,
};

/// A register of AVX-512.
#[derive(Clone, Copy)]
pub(crate) struct Avx512(__m512i);

/// The first `len` lanes, up to 64.
#[inline(always)]
fn lanes(len: usize) -> __mmask64 {
    // SAFETY: instances with this register have BMI2.
    unsafe { core::arch::x86_64::_bzhi_u64(u64::MAX, len as u32) }
}

by_intrinsics! { Avx512, 64, Sse2;
    load(from: *const u8) -> Self = Self(_mm512_loadu_si512(from.cast()));
    store(to: *mut u8, value: Self) = _mm512_storeu_si512(to.cast(), value.0);
    stream(to: *mut u8, value: Self) = _mm512_stream_si512(to.cast(), value.0);
    splat(pattern: u64) -> Self = Self(_mm512_set1_epi64(pattern as i64));
    splat_byte(byte: u8) -> Self = Self(_mm512_set1_epi8(byte as i8));
    xor(a: Self, b: Self) -> Self = Self(_mm512_xor_si512(a.0, b.0));
    or(a: Self, b: Self) -> Self = Self(_mm512_or_si512(a.0, b.0));
    min(a: Self, b: Self) -> Self = Self(_mm512_min_epu8(a.0, b.0));
    zeros(value: Self) -> u64 = _mm512_testn_epi8_mask(value.0, value.0);
    others(value: Self) -> u64 = _mm512_test_epi8_mask(value.0, value.0);
    is_any(value: Self) -> bool = _mm512_test_epi8_mask(value.0, value.0) != 0;
    copy_small(to: *mut u8, from: *const u8, len: usize) = {
        if vector::is_within_page(to, 64) && vector::is_within_page(from, 64) {
            let value = _mm512_maskz_loadu_epi8(lanes(len), from.cast());
            _mm512_mask_storeu_epi8(to.cast(), lanes(len), value);
        } else {
            copy::by_steps::<Self>(to, from, len);
        }
    };
    differs_small(a: *const u8, b: *const u8, len: usize) -> bool = {
        if vector::is_within_page(a, 64) && vector::is_within_page(b, 64) {
            let x = _mm512_maskz_loadu_epi8(lanes(len), a.cast());
            let y = _mm512_maskz_loadu_epi8(lanes(len), b.cast());
            _mm512_mask_cmpneq_epi8_mask(lanes(len), x, y) != 0
        } else {
            compare::by_steps::<Self, compare::Differs>(a, b, len)
        }
    };
    verify_small(from: *const u8, pattern: u64, len: usize) -> usize = {
        if vector::is_within_page(from, 64) {
            let value = _mm512_maskz_loadu_epi8(lanes(len), from.cast());
            let wanted = _mm512_set1_epi64(pattern as i64);
            let others = _mm512_mask_cmpneq_epi8_mask(lanes(len), value, wanted);
            (others.trailing_zeros() as usize).min(len)
        } else {
            verify::by_steps::<Self>(from, pattern, len)
        }
    };
    {
        #[inline(always)]
        unsafe fn fill_small<const IS_BYTE: bool>(to: *mut u8, pattern: u64, len: usize) {
            // SAFETY: the caller's: the processor has the instructions, and masked lanes are not
            // written.
            unsafe {
                if vector::is_within_page(to, 64) {
                    let value = fill::repeat::<Self, IS_BYTE>(pattern);
                    _mm512_mask_storeu_epi8(to.cast(), lanes(len), value.0);
                } else {
                    fill::by_steps::<Self, IS_BYTE>(to, pattern, len);
                }
            }
        }
    }
}
