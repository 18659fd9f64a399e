//! Which words of a piece of memory lie within a range of addresses?
//!
//! The addresses of these words are compacted into a batch. One subtraction and one unsigned
//! comparison test a word, so eight are tested at once where the processor has AVX-512, four where
//! it has AVX2. Pointers into the heap come in bursts, which makes a branch for each word cost more
//! than the test: every variant stores first and moves on by what it found.
//!
//! ```text
//!   while words are left and the batch has room for a vector more:
//!       hits  = lanes of (words − low) below the length     unsigned
//!       batch[count ..] = addresses of the hits, compacted  a full vector is stored
//!       count = count + |hits|
//! ```

#[cfg(target_arch = "x86_64")]
mod avx2;
#[cfg(target_arch = "x86_64")]
mod avx512;
mod portable;
#[cfg(test)]
mod tests;

#[cfg(target_arch = "x86_64")]
use super::routines::cpu::{Avx2, Avx512, Features};
use super::routines::dispatch::Tier;

/// The bytes of a word.
pub(crate) const WORD: usize = size_of::<usize>();

/// The values that are looked for: `low` and the `len` values from there on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Range {
    pub(crate) low: usize,
    pub(crate) len: usize,
}

impl Range {
    #[inline(always)]
    pub(crate) const fn contains(self, value: usize) -> bool {
        value.wrapping_sub(self.low) < self.len
    }

    /// The range from `low` up to, not including, `end`.
    pub(crate) const fn between(low: usize, end: usize) -> Self {
        Self { low, len: end.saturating_sub(low) }
    }
}

/// Most hits of one call.
pub(crate) const BATCH: usize = 512;
/// A whole vector is stored at a time, so so many places behind the hits are scribbled on.
const MARGIN: usize = 8;

/// The addresses of the words found.
#[derive(Debug)]
pub(crate) struct Batch {
    addresses: [usize; BATCH + MARGIN],
    count: usize,
}

impl Batch {
    pub(crate) const fn new() -> Self {
        Self { addresses: [0; BATCH + MARGIN], count: 0 }
    }

    /// What the last scan found, in the order of the addresses.
    #[inline]
    pub(crate) fn hits(&self) -> &[usize] {
        self.addresses.get(..self.count).unwrap_or_default()
    }
}

/// The best way to scan that this processor has.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Scanner {
    #[cfg(target_arch = "x86_64")]
    Avx512(Avx512Proof),
    #[cfg(target_arch = "x86_64")]
    Avx2(Avx2Proof),
    Portable,
}

/// See [`super::routines::cpu`]; not to be made outside of this floor.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx512Proof(Avx512);

/// See [`super::routines::cpu`]; not to be made outside of this floor.
#[cfg(target_arch = "x86_64")]
#[derive(Clone, Copy, Debug)]
pub(crate) struct Avx2Proof(Avx2);

impl Scanner {
    /// The best that `tier` allows, and this processor.
    pub(crate) fn up_to(tier: Tier) -> Self {
        #[cfg(all(target_arch = "x86_64", not(miri)))]
        {
            let features = Features::detect();
            if let (Tier::Avx512, Some(proof)) = (tier, features.avx512) {
                return Self::Avx512(Avx512Proof(proof));
            }
            if let (Tier::Avx512 | Tier::Avx2, Some(proof)) = (tier, features.avx2) {
                return Self::Avx2(Avx2Proof(proof));
            }
        }
        let _ = tier;
        Self::Portable
    }

    /// Puts the addresses of the words of `from..to` that lie in `range` into `batch`, as many as
    /// it has room for. The address to go on from; `to` when all is done.
    ///
    /// # Safety
    /// Both are multiples of [`WORD`], `from <= to`, and what lies between may be read.
    #[inline]
    pub(crate) unsafe fn scan(
        self,
        from: usize,
        to: usize,
        range: Range,
        batch: &mut Batch,
    ) -> usize {
        debug_assert!(from <= to && (from | to).is_multiple_of(WORD));
        match self {
            #[cfg(target_arch = "x86_64")]
            // SAFETY: the caller's; and the value proves the instructions.
            Self::Avx512(_) => unsafe { avx512::scan(from, to, range, batch) },
            #[cfg(target_arch = "x86_64")]
            // SAFETY: as above.
            Self::Avx2(_) => unsafe { avx2::scan(from, to, range, batch) },
            // SAFETY: the caller's.
            Self::Portable => unsafe { portable::scan(from, to, range, batch) },
        }
    }
}
