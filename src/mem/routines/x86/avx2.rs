//! Thirty-two bytes.

use super::{Sse2, Vector, by_intrinsics};
use core::arch::x86_64::{
    __m256i, _mm256_cmpeq_epi8, _mm256_loadu_si256, _mm256_min_epu8, _mm256_movemask_epi8,
    _mm256_or_si256, _mm256_set1_epi8, _mm256_set1_epi64x, _mm256_setzero_si256,
    _mm256_storeu_si256, _mm256_stream_si256, _mm256_testz_si256, _mm256_xor_si256,
};

/// A register of AVX2.
#[derive(Clone, Copy)]
pub(crate) struct Avx2(__m256i);

by_intrinsics! { Avx2, 32, Sse2;
    load(from: *const u8) -> Self = Self(_mm256_loadu_si256(from.cast()));
    store(to: *mut u8, value: Self) = _mm256_storeu_si256(to.cast(), value.0);
    stream(to: *mut u8, value: Self) = _mm256_stream_si256(to.cast(), value.0);
    splat(pattern: u64) -> Self = Self(_mm256_set1_epi64x(pattern as i64));
    splat_byte(byte: u8) -> Self = Self(_mm256_set1_epi8(byte as i8));
    xor(a: Self, b: Self) -> Self = Self(_mm256_xor_si256(a.0, b.0));
    or(a: Self, b: Self) -> Self = Self(_mm256_or_si256(a.0, b.0));
    min(a: Self, b: Self) -> Self = Self(_mm256_min_epu8(a.0, b.0));
    zeros(value: Self) -> u64 = {
        let zeros = _mm256_cmpeq_epi8(value.0, _mm256_setzero_si256());
        u64::from(_mm256_movemask_epi8(zeros) as u32)
    };
    others(value: Self) -> u64 = {
        let zeros = _mm256_cmpeq_epi8(value.0, _mm256_setzero_si256());
        u64::from(!_mm256_movemask_epi8(zeros) as u32)
    };
    is_any(value: Self) -> bool = _mm256_testz_si256(value.0, value.0) == 0;
}
