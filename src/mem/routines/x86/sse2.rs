//! Sixteen bytes, which every x86-64 processor has.

use super::{Vector, by_intrinsics};
use core::arch::x86_64::{
    __m128i, _mm_cmpeq_epi8, _mm_loadu_si128, _mm_min_epu8, _mm_movemask_epi8, _mm_or_si128,
    _mm_set1_epi8, _mm_set1_epi64x, _mm_setzero_si128, _mm_storeu_si128, _mm_stream_si128,
    _mm_xor_si128,
};

/// A register of SSE2.
#[derive(Clone, Copy)]
pub(crate) struct Sse2(__m128i);

const ALL: u64 = 0xffff;

/// The highest bits of all bytes.
#[inline(always)]
fn signs(value: __m128i) -> u64 {
    // SAFETY: SSE2 is always there.
    u64::from(unsafe { _mm_movemask_epi8(value) } as u16)
}

by_intrinsics! { Sse2, 16, Self;
    load(from: *const u8) -> Self = Self(_mm_loadu_si128(from.cast()));
    store(to: *mut u8, value: Self) = _mm_storeu_si128(to.cast(), value.0);
    stream(to: *mut u8, value: Self) = _mm_stream_si128(to.cast(), value.0);
    splat(pattern: u64) -> Self = Self(_mm_set1_epi64x(pattern as i64));
    splat_byte(byte: u8) -> Self = Self(_mm_set1_epi8(byte as i8));
    xor(a: Self, b: Self) -> Self = Self(_mm_xor_si128(a.0, b.0));
    or(a: Self, b: Self) -> Self = Self(_mm_or_si128(a.0, b.0));
    min(a: Self, b: Self) -> Self = Self(_mm_min_epu8(a.0, b.0));
    zeros(value: Self) -> u64 = signs(_mm_cmpeq_epi8(value.0, _mm_setzero_si128()));
    others(value: Self) -> u64 = signs(_mm_cmpeq_epi8(value.0, _mm_setzero_si128())) ^ ALL;
    is_any(value: Self) -> bool = signs(_mm_cmpeq_epi8(value.0, _mm_setzero_si128())) != ALL;
}
