//! Eight words at a time, 32 while nothing is found.
//!
//! `vpcompressq` goes to a register, which is then stored whole: its form that writes to memory is
//! microcoded on Zen. The last, incomplete vector is loaded under a mask, which never faults on the
//! lanes it leaves out.

use super::{BATCH, Batch, MARGIN, Range, WORD};
use core::arch::x86_64::{
    __m512i, __mmask8, _mm512_add_epi64, _mm512_cmplt_epu64_mask, _mm512_loadu_si512,
    _mm512_mask_cmplt_epu64_mask, _mm512_maskz_compress_epi64, _mm512_maskz_loadu_epi64,
    _mm512_min_epu64, _mm512_set1_epi64, _mm512_setr_epi64, _mm512_storeu_si512, _mm512_sub_epi64,
};
use core::ptr;

const LANES: usize = 8;
const BLOCK: usize = 4 * LANES;

/// # Safety
/// As [`super::Scanner::scan`], and the processor has AVX-512 F and VL, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx512f,avx512vl,bmi1,bmi2,popcnt")]
pub(super) unsafe fn scan(mut from: usize, to: usize, range: Range, batch: &mut Batch) -> usize {
    let low = _mm512_set1_epi64(range.low as i64);
    let len = _mm512_set1_epi64(range.len as i64);
    let mut count = 0;
    while to - from >= BLOCK * WORD && count <= BATCH - BLOCK {
        let words = ptr::with_exposed_provenance::<__m512i>(from);
        // SAFETY: the caller's: `BLOCK` words from here on may be read.
        let offsets = unsafe {
            [0, 1, 2, 3].map(|at| _mm512_sub_epi64(_mm512_loadu_si512(words.add(at)), low))
        };
        let least = _mm512_min_epu64(
            _mm512_min_epu64(offsets[0], offsets[1]),
            _mm512_min_epu64(offsets[2], offsets[3]),
        );
        if _mm512_cmplt_epu64_mask(least, len) != 0 {
            for (at, offset) in offsets.into_iter().enumerate() {
                let hits = _mm512_cmplt_epu64_mask(offset, len);
                count = keep(batch, count, from + at * LANES * WORD, hits);
            }
        }
        from += BLOCK * WORD;
    }
    while from < to && count <= BATCH - LANES {
        let lanes = ((to - from) / WORD).min(LANES);
        let mask = u8::MAX >> (LANES - lanes);
        // SAFETY: the caller's: so many words may be read, and no others are.
        let words =
            unsafe { _mm512_maskz_loadu_epi64(mask, ptr::with_exposed_provenance::<i64>(from)) };
        let hits = _mm512_mask_cmplt_epu64_mask(mask, _mm512_sub_epi64(words, low), len);
        count = keep(batch, count, from, hits);
        from += lanes * WORD;
    }
    batch.count = count;
    from
}

/// Appends the addresses of the hits among the eight words at `from`; how many are kept now.
#[target_feature(enable = "avx512f,avx512vl,bmi1,bmi2,popcnt")]
fn keep(batch: &mut Batch, count: usize, from: usize, hits: __mmask8) -> usize {
    const { assert!(MARGIN >= LANES) };
    debug_assert!(count <= BATCH);
    let steps = _mm512_setr_epi64(0, 8, 16, 24, 32, 40, 48, 56);
    let addresses = _mm512_add_epi64(_mm512_set1_epi64(from as i64), steps);
    // SAFETY: `count` is at most `BATCH`, and a vector fits behind that.
    unsafe {
        let place = batch.addresses.as_mut_ptr().add(count);
        _mm512_storeu_si512(place.cast(), _mm512_maskz_compress_epi64(hits, addresses));
    }
    count + hits.count_ones() as usize
}
