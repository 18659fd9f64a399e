//! Four words at a time, 16 while nothing is found.
//!
//! AVX2 compares signed numbers only, so both sides are moved by 2⁶³; and it compacts by a table of
//! permutations, one for each of the sixteen patterns of hits.

use super::{BATCH, Batch, MARGIN, Range, WORD};
use core::arch::x86_64::{
    __m256i, _mm256_add_epi64, _mm256_castsi256_pd, _mm256_cmpgt_epi64, _mm256_loadu_si256,
    _mm256_maskload_epi64, _mm256_movemask_pd, _mm256_or_si256, _mm256_permutevar8x32_epi32,
    _mm256_set1_epi64x, _mm256_setr_epi64x, _mm256_storeu_si256, _mm256_sub_epi64,
};
use core::ptr;

const LANES: usize = 4;
const BLOCK: usize = 4 * LANES;

/// For each pattern of hits the halves of the lanes that come first.
const COMPACT: [[u32; 8]; 16] = {
    let mut table = [[0; 8]; 16];
    let mut pattern = 0;
    while pattern < 16 {
        let (mut lane, mut place) = (0, 0);
        while lane < LANES {
            if pattern >> lane & 1 == 1 {
                table[pattern][place] = 2 * lane as u32;
                table[pattern][place + 1] = 2 * lane as u32 + 1;
                place += 2;
            }
            lane += 1;
        }
        pattern += 1;
    }
    table
};

/// # Safety
/// As [`super::Scanner::scan`], and the processor has AVX2, BMI1, BMI2 and POPCNT.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
pub(super) unsafe fn scan(mut from: usize, to: usize, range: Range, batch: &mut Batch) -> usize {
    // Below the length, unsigned, is below it, signed, with the highest bit of both turned over:
    // which subtracting 2⁶³ does.
    let low = _mm256_set1_epi64x(range.low.wrapping_add(1 << 63) as i64);
    let len = _mm256_set1_epi64x((range.len ^ 1 << 63) as i64);
    let mut count = 0;
    while to - from >= BLOCK * WORD && count <= BATCH - BLOCK {
        let words = ptr::with_exposed_provenance::<__m256i>(from);
        // SAFETY: the caller's: `BLOCK` words from here on may be read.
        let hits = unsafe {
            [0, 1, 2, 3].map(|at| {
                let offset = _mm256_sub_epi64(_mm256_loadu_si256(words.add(at)), low);
                _mm256_cmpgt_epi64(len, offset)
            })
        };
        let any =
            _mm256_or_si256(_mm256_or_si256(hits[0], hits[1]), _mm256_or_si256(hits[2], hits[3]));
        if pattern_of(any) != 0 {
            for (at, hits) in hits.into_iter().enumerate() {
                count = keep(batch, count, from + at * LANES * WORD, pattern_of(hits));
            }
        }
        from += BLOCK * WORD;
    }
    while from < to && count <= BATCH - LANES {
        let lanes = ((to - from) / WORD).min(LANES);
        let present =
            _mm256_cmpgt_epi64(_mm256_set1_epi64x(lanes as i64), _mm256_setr_epi64x(0, 1, 2, 3));
        // SAFETY: the caller's: so many words may be read, and no others are.
        let words =
            unsafe { _mm256_maskload_epi64(ptr::with_exposed_provenance::<i64>(from), present) };
        let hits = pattern_of(_mm256_cmpgt_epi64(len, _mm256_sub_epi64(words, low)));
        count = keep(batch, count, from, hits & pattern_of(present));
        from += lanes * WORD;
    }
    batch.count = count;
    from
}

/// A bit for each lane.
#[target_feature(enable = "avx2")]
fn pattern_of(lanes: __m256i) -> usize {
    _mm256_movemask_pd(_mm256_castsi256_pd(lanes)) as usize & 0xf
}

/// Appends the addresses of the hits among the four words at `from`; how many are kept now.
#[target_feature(enable = "avx2,bmi1,bmi2,popcnt")]
fn keep(batch: &mut Batch, count: usize, from: usize, hits: usize) -> usize {
    const { assert!(MARGIN >= LANES) };
    debug_assert!(count <= BATCH);
    let addresses =
        _mm256_add_epi64(_mm256_set1_epi64x(from as i64), _mm256_setr_epi64x(0, 8, 16, 24));
    // SAFETY: the table's rows are one vector long.
    let order = unsafe { _mm256_loadu_si256(COMPACT[hits].as_ptr().cast()) };
    let compacted = _mm256_permutevar8x32_epi32(addresses, order);
    // SAFETY: `count` is at most `BATCH`, and a vector fits behind that.
    unsafe {
        _mm256_storeu_si256(batch.addresses.as_mut_ptr().add(count).cast(), compacted);
    }
    count + hits.count_ones() as usize
}
