//! Bytes that nobody but a mistake changes.
//!
//! A *canary* fills what lies between the end of a block and the end of its memory. It differs from
//! process to process and from place to place, so that neither a constant nor a copy of other
//! memory passes for it, and none of its bytes is zero or a character: a string that is one byte
//! too long, or its terminator, is the commonest overflow of all. *Junk* fills a fresh block,
//! *poison* a freed one, with the values that `phkmalloc` and jemalloc use: read as addresses, both
//! fault.

use core::ops::Range;

/// What a fresh block is filled with.
pub(crate) const JUNK: u8 = 0xa5;
/// What a freed block is filled with.
pub(crate) const POISON: u8 = 0x5a;

const WORD: usize = size_of::<u64>();
/// The lowest bit of each byte.
const ONES: u64 = 0x0101_0101_0101_0101;
/// Bits of a canary that are always set: none of its bytes is zero, or a character of ASCII.
const ALWAYS: u64 = 0x81 * ONES;

/// The canaries of a process.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Canary(u64);

impl Canary {
    pub(crate) const fn new(secret: u64) -> Self {
        Self(secret)
    }

    /// The canary of the aligned word at `address`.
    const fn word(self, address: usize) -> u64 {
        let place = (address as u64 / WORD as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (self.0 ^ place) | ALWAYS
    }

    const fn byte(self, address: usize) -> u8 {
        self.word(address & !(WORD - 1)).to_le_bytes()[address % WORD]
    }

    /// The canary of the word at `address`, which may be any.
    #[inline(always)]
    const fn word_at(self, address: usize) -> u64 {
        let (base, shift) = (address & !(WORD - 1), (address % WORD * 8) as u32);
        if shift == 0 {
            return self.word(base);
        }
        self.word(base) >> shift | self.word(base + WORD) << (u64::BITS - shift)
    }

    /// As [`Self::write`], for at least a word that ends at a multiple of one: what lies behind
    /// nearly every block.
    ///
    /// # Safety
    /// As [`Self::write`].
    #[inline(always)]
    pub(crate) unsafe fn write_behind(self, start: *mut u8, len: usize) {
        debug_assert!(len >= WORD && (start as usize + len).is_multiple_of(WORD));
        let first = self.word_at(start as usize).to_le();
        // SAFETY: the caller's.
        unsafe { start.cast::<u64>().write_unaligned(first) };
        let mut at = WORD - start as usize % WORD;
        while at < len {
            let target = start.wrapping_add(at);
            // SAFETY: an aligned word within the caller's bytes.
            unsafe { target.cast::<u64>().write(self.word(target as usize).to_le()) };
            at += WORD;
        }
    }

    /// Whether all is as [`Self::write`] left it, of bytes that end at a multiple of a word.
    ///
    /// # Safety
    /// As [`Self::damage`], and the word that the first byte lies in can be read, too.
    #[inline(always)]
    pub(crate) unsafe fn is_intact_behind(self, start: *const u8, len: usize) -> bool {
        debug_assert!((start as usize + len).is_multiple_of(WORD));
        let (shift, end) = ((start as usize % WORD * 8) as u32, start.wrapping_add(len));
        let mut place = start.wrapping_sub(start as usize % WORD);
        let mut difference = 0;
        // What belongs to the user is shifted out.
        let mut kept = shift;
        while place < end {
            // SAFETY: an aligned word, as the caller says.
            let word = u64::from_le(unsafe { place.cast::<u64>().read_volatile() });
            difference |= (word ^ self.word(place as usize)) >> kept;
            kept = 0;
            place = place.wrapping_add(WORD);
        }
        difference == 0
    }

    /// Writes the canary.
    ///
    /// # Safety
    /// The `len` bytes from `start` on are the caller's.
    pub(crate) unsafe fn write(self, start: *mut u8, len: usize) {
        for_each_part(start as usize, len, |at, part| {
            let target = start.wrapping_add(at);
            let address = target as usize;
            match part {
                // SAFETY: an aligned word within the caller's bytes.
                Part::Word => unsafe { target.cast::<u64>().write(self.word(address).to_le()) },
                // SAFETY: a byte of the caller's.
                Part::Byte => unsafe { target.write(self.byte(address)) },
            }
            true
        });
    }

    /// The bytes that are no longer what [`Self::write`] wrote: from the first to the last.
    ///
    /// # Safety
    /// The `len` bytes from `start` on can be read. Another thread may be writing to them: that is
    /// a mistake under way, and either answer is fair.
    pub(crate) unsafe fn damage(self, start: *const u8, len: usize) -> Option<Range<usize>> {
        let is_intact = for_each_part(start as usize, len, |at, part| {
            let place = start.wrapping_add(at);
            match part {
                // SAFETY: an aligned word within those bytes.
                Part::Word => unsafe {
                    u64::from_le(place.cast::<u64>().read_volatile()) == self.word(place as usize)
                },
                // SAFETY: one of those bytes.
                Part::Byte => unsafe { place.read_volatile() == self.byte(place as usize) },
            }
        });
        // SAFETY: the caller's.
        if is_intact { None } else { unsafe { differing(start, len, |at| self.byte(at)) } }
    }
}

/// From so many bytes on a loop over vectors, wherever it is, is worth a call.
const CALL_MIN: usize = 256;

/// Fills a block of at least two words. Most blocks are small, and cost less than a call.
///
/// # Safety
/// The `len` bytes from `start` on are the caller's, at least 16.
#[inline(always)]
pub(crate) unsafe fn fill(start: *mut u8, len: usize, byte: u8) {
    const UNIT: usize = 2 * WORD;
    debug_assert!(len >= UNIT);
    if len >= CALL_MIN {
        // SAFETY: the caller's.
        return unsafe { start.write_bytes(byte, len) };
    }
    let pair = [u64::from(byte) * ONES; 2];
    let mut at = 0;
    while at < len - UNIT {
        // SAFETY: within the caller's bytes.
        unsafe { start.wrapping_add(at).cast::<[u64; 2]>().write_unaligned(pair) };
        at += UNIT;
    }
    // SAFETY: the last of the bytes, of which some may be written already.
    unsafe { start.wrapping_add(len - UNIT).cast::<[u64; 2]>().write_unaligned(pair) };
}

/// Whether all of `len` bytes, words that begin at a multiple of one, are `expected`.
///
/// # Safety
/// As [`Canary::damage`].
#[inline(always)]
pub(crate) unsafe fn is_filled(start: *const u8, len: usize, expected: u8) -> bool {
    debug_assert!((start as usize | len).is_multiple_of(WORD));
    let word = u64::from(expected) * ONES;
    // SAFETY: the caller's.
    let differs =
        |at: usize| unsafe { start.wrapping_add(at).cast::<u64>().read_volatile() ^ word };
    let mut at = 0;
    while at + 4 * WORD <= len {
        let four =
            (differs(at) | differs(at + WORD)) | (differs(at + 2 * WORD) | differs(at + 3 * WORD));
        if four != 0 {
            return false;
        }
        at += 4 * WORD;
    }
    let mut difference = 0;
    while at < len {
        difference |= differs(at);
        at += WORD;
    }
    difference == 0
}

/// The bytes that are not `expected`, a constant: from the first to the last.
///
/// # Safety
/// As [`Canary::damage`].
pub(crate) unsafe fn difference(
    start: *const u8,
    len: usize,
    expected: u8,
) -> Option<Range<usize>> {
    let word = u64::from(expected) * ONES;
    let is_intact = for_each_part(start as usize, len, |at, part| {
        let place = start.wrapping_add(at);
        match part {
            // SAFETY: an aligned word within those bytes.
            Part::Word => unsafe { place.cast::<u64>().read_volatile() == word },
            // SAFETY: one of those bytes.
            Part::Byte => unsafe { place.read_volatile() == expected },
        }
    });
    // SAFETY: the caller's.
    if is_intact { None } else { unsafe { differing(start, len, |_| expected) } }
}

/// # Safety
/// As [`Canary::damage`].
#[cold]
unsafe fn differing(
    start: *const u8,
    len: usize,
    expected: impl Fn(usize) -> u8,
) -> Option<Range<usize>> {
    let differs = |at: &usize| {
        let place = start.wrapping_add(*at);
        // SAFETY: one of those bytes.
        unsafe { place.read_volatile() != expected(place as usize) }
    };
    let first = (0..len).find(differs)?;
    let last = (first..len).rev().find(differs)?;
    Some(first..last + 1)
}

#[derive(Clone, Copy)]
enum Part {
    Word,
    Byte,
}

/// Cuts `len` bytes into aligned words, and bytes before and behind them; until `visit` refuses.
#[inline(always)]
fn for_each_part(start: usize, len: usize, mut visit: impl FnMut(usize, Part) -> bool) -> bool {
    let head = (start.wrapping_neg() % WORD).min(len);
    let body = head + (len - head) / WORD * WORD;
    (0..head).all(|at| visit(at, Part::Byte))
        && (head..body).step_by(WORD).all(|at| visit(at, Part::Word))
        && (body..len).all(|at| visit(at, Part::Byte))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec;

    const CANARY: Canary = Canary::new(0x1234_5678_9abc_def0);

    proptest! {
        #[test]
        fn every_changed_byte_of_a_canary_is_found(
            offset in 0..16_usize,
            len in 0..100_usize,
            (first, last) in (0..100_usize, 0..100_usize),
            value in any::<u8>(),
        ) {
            let mut memory = vec![0_u8; 128];
            let start = memory.as_mut_ptr().wrapping_add(offset);
            // SAFETY: offset and length together are less than the vector has.
            unsafe { CANARY.write(start, len) };
            prop_assert!(memory[..offset].iter().chain(&memory[offset + len..]).all(|b| *b == 0));
            let written = memory[offset..offset + len].to_vec();
            prop_assert!(!written.contains(&0));
            let (first, last) = (first.min(last), first.max(last));
            for at in [first, last] {
                if at < len {
                    memory[offset + at] = value;
                }
            }
            let changed: vec::Vec<_> =
                (0..len).filter(|at| memory[offset + at] != written[*at]).collect();
            let ends = changed.first().zip(changed.last());
            let expected = ends.map(|(first, last)| *first..last + 1);
            let start = memory.as_ptr().wrapping_add(offset);
            // SAFETY: as above.
            prop_assert_eq!(unsafe { CANARY.damage(start, len) }, expected);
        }

        #[test]
        fn every_changed_byte_of_poison_is_found(
            offset in 0..16_usize,
            len in 1..100_usize,
            at in 0..100_usize,
            value in any::<u8>(),
        ) {
            let mut memory = [POISON; 128];
            let at = at % len;
            memory[offset + at] = value;
            let start = memory.as_ptr().wrapping_add(offset);
            let expected = (value != POISON).then(|| at..at + 1);
            // SAFETY: offset and length together are less than the vector has.
            prop_assert_eq!(unsafe { difference(start, len, POISON) }, expected);
        }
    }

    proptest! {
        #[test]
        fn the_short_ways_do_and_see_the_same(
            size in 0..80_usize,
            more in 0..5_usize,
            at in 0..120_usize,
            value in any::<u8>(),
        ) {
            let mut words = [0_u64; 16];
            let start = words.as_mut_ptr().cast::<u8>();
            let end = (size + WORD).next_multiple_of(WORD) + more * WORD;
            let (behind, len) = (start.wrapping_add(size), end - size);
            // SAFETY: at most 120 of the 128 bytes.
            let (written, is_intact) = unsafe {
                CANARY.write_behind(behind, len);
                (CANARY.damage(behind, len), CANARY.is_intact_behind(behind, len))
            };
            prop_assert_eq!((written, is_intact), (None, true));
            // SAFETY: inside of the words.
            let byte = |at: usize| unsafe { start.wrapping_add(at).read() };
            let is_untouched = (0..size).chain(end..128).all(|at| byte(at) == 0);
            prop_assert!(is_untouched);
            // SAFETY: inside of the words.
            unsafe { start.wrapping_add(at).write(value) };
            // SAFETY: as above.
            let (damage, is_intact) = unsafe {
                (CANARY.damage(behind, len), CANARY.is_intact_behind(behind, len))
            };
            prop_assert_eq!(damage.is_none(), is_intact);
        }

        #[test]
        fn what_is_filled_is_found_filled(
            count in 2..50_usize,
            at in 0..400_usize,
            value in any::<u8>(),
        ) {
            let mut words = [0_u64; 52];
            let start = words.as_mut_ptr().cast::<u8>();
            let len = count * WORD;
            // SAFETY: fewer than the words have.
            unsafe { fill(start, len, POISON) };
            // SAFETY: as above.
            let is_filled_first = unsafe { is_filled(start, len, POISON) };
            prop_assert!(is_filled_first);
            prop_assert!(words[count..].iter().all(|word| *word == 0));
            let start = words.as_mut_ptr().cast::<u8>();
            // SAFETY: inside of the words.
            unsafe { start.wrapping_add(at).write(value) };
            // SAFETY: as above.
            let is_same = unsafe { is_filled(start, len, POISON) };
            prop_assert_eq!(is_same, at >= len || value == POISON);
        }
    }

    #[test]
    fn canaries_differ_from_place_to_place() {
        let word = |address| CANARY.word(address);
        assert_ne!(word(0x1000), word(0x1008));
        assert_ne!(word(0x1000), Canary::new(1).word(0x1000));
    }
}
