//! A bitmap over memory that somebody else owns: one bit per slice of a region.
//!
//! The words are atomics because error reports and heap walks read them while the span directory,
//! under its lock, writes them; readers accept a slightly old answer.

use super::sync::{AtomicU64, Ordering};

/// A view of `len` bits. Copyable: it is only an address and a length.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bitmap {
    words: *const AtomicU64,
    len: usize,
}

const WORD: usize = 64;

impl Bitmap {
    /// No bits at all.
    pub(crate) const EMPTY: Self = Self { words: core::ptr::null(), len: 0 };

    /// # Safety
    /// `words` must be valid for `len.div_ceil(64)` words, 8-aligned, for as long as the view or a
    /// copy of it is used.
    pub(crate) const unsafe fn new(words: *mut u8, len: usize) -> Self {
        Self { words: words.cast(), len }
    }

    #[inline]
    fn word(&self, index: usize) -> &AtomicU64 {
        debug_assert!(index < self.len.div_ceil(WORD));
        // SAFETY: the index is within the words that `new`'s caller vouched for.
        unsafe { &*self.words.add(index) }
    }

    #[inline]
    pub(crate) fn is_set(&self, bit: usize) -> bool {
        bit < self.len && self.word(bit / WORD).load(Ordering::Relaxed) >> (bit % WORD) & 1 == 1
    }

    #[inline]
    pub(crate) fn set(&self, bit: usize) {
        self.word(bit / WORD).fetch_or(1 << (bit % WORD), Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn clear(&self, bit: usize) {
        self.word(bit / WORD).fetch_and(!(1 << (bit % WORD)), Ordering::Relaxed);
    }

    /// Sets or clears the bits `from..to`.
    pub(crate) fn fill(&self, from: usize, to: usize, value: bool) {
        let mut bit = from;
        while bit < to {
            let count = (WORD - bit % WORD).min(to - bit);
            let mask = (u64::MAX >> (WORD - count)) << (bit % WORD);
            let word = self.word(bit / WORD);
            if value {
                word.fetch_or(mask, Ordering::Relaxed);
            } else {
                word.fetch_and(!mask, Ordering::Relaxed);
            }
            bit += count;
        }
    }

    /// The last set bit at or below `bit`.
    pub(crate) fn previous_set(&self, bit: usize) -> Option<usize> {
        let mut index = bit / WORD;
        let mut word =
            self.word(index).load(Ordering::Relaxed) & (u64::MAX >> (WORD - 1 - bit % WORD));
        loop {
            if word != 0 {
                return Some(index * WORD + (WORD - 1 - word.leading_zeros() as usize));
            }
            index = index.checked_sub(1)?;
            word = self.word(index).load(Ordering::Relaxed);
        }
    }

    /// The first bit in `from..to` that equals `value`, or `to`.
    pub(crate) fn next(&self, from: usize, to: usize, value: bool) -> usize {
        let mut bit = from;
        while bit < to {
            let raw = self.word(bit / WORD).load(Ordering::Relaxed);
            let word = if value { raw } else { !raw } >> (bit % WORD);
            if word != 0 {
                return (bit + word.trailing_zeros() as usize).min(to);
            }
            bit += WORD - bit % WORD;
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    const BITS: usize = 300;

    proptest! {
        #[test]
        fn behaves_like_a_vector_of_bools(
            edits in proptest::collection::vec((0..BITS, 0..BITS, any::<bool>()), 0..40),
        ) {
            let mut words = Vec::from([0u64; BITS.div_ceil(WORD)]);
            // SAFETY: `words` outlives the view and holds BITS bits.
            let map = unsafe { Bitmap::new(words.as_mut_ptr().cast(), BITS) };
            let mut model = [false; BITS];
            for (a, b, value) in edits {
                let (from, to) = (a.min(b), a.max(b));
                map.fill(from, to, value);
                model[from..to].fill(value);
            }
            for bit in 0..BITS {
                prop_assert_eq!(map.is_set(bit), model[bit]);
                prop_assert_eq!(map.previous_set(bit), (0..=bit).rev().find(|i| model[*i]));
                let next = (bit..BITS).find(|i| model[*i]).unwrap_or(BITS);
                prop_assert_eq!(map.next(bit, BITS, true), next);
                let hole = (bit..BITS).find(|i| !model[*i]).unwrap_or(BITS);
                prop_assert_eq!(map.next(bit, BITS, false), hole);
            }
        }
    }
}
