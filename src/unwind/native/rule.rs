//! What to do at a program counter to get from a frame to its caller, in one word.
//!
//! ```text
//!  63..44                43..36         35..32  31         30..28  27..0
//!  canonical frame / 8   saved rbp / 8  unused  no number  kind    number of the frame
//! ```
//!
//! Nearly all code of the world is described by two kinds: the canonical frame address (CFA) is the
//! stack pointer or the frame pointer plus a constant, the return address lies below it, and the
//! caller's frame pointer is either unchanged or saved at a constant distance from it. What does
//! not fit becomes [`Kind::Complex`].

/// How the caller is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    /// CFA = rsp + c.
    Sp = 0,
    /// CFA = rbp + c.
    Fp = 1,
    /// CFA = [rbp + c], rbp = [rbp]: a function that aligned its stack.
    Realigned = 2,
    /// The kernel called a signal handler; the interrupted registers lie on the stack.
    Signal = 3,
    /// The return address is undefined: the first function of a thread.
    Root = 4,
    /// No unwind information.
    NoInfo = 5,
    /// Other registers, expressions or places than the above.
    Complex = 6,
}

/// A kind, its two distances, and the number by which the frame is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Rule(u64);

const NUMBER_BITS: u32 = 28;
const KIND_SHIFT: u32 = NUMBER_BITS;
/// Set as long as the frame has no number: one comparison tells that a rule is common and has one.
const NUMBERLESS: u64 = 1 << 31;
const SAVED_SHIFT: u32 = 36;
const SAVED_BITS: u32 = 8;
const CFA_SHIFT: u32 = SAVED_SHIFT + SAVED_BITS;
const CFA_BITS: u32 = 20;
const NUMBER_END: u32 = 1 << NUMBER_BITS;
/// Distances are whole words.
const WORD: i64 = 8;
/// Where the return address is, from the CFA. No register is saved there, so as the place of the
/// frame pointer it says "not saved", and loading it does no harm.
const NOT_SAVED: isize = -8;
/// The farthest below the CFA that a step reads.
pub(super) const REACH: usize = (1 << (SAVED_BITS - 1)) * WORD as usize;

impl Rule {
    /// A rule of `kind` with the CFA at `cfa` from its base and the caller's frame pointer at
    /// `saved_fp` from the CFA. What the word cannot express is [`Kind::Complex`].
    pub(super) const fn new(kind: Kind, cfa: i64, saved_fp: Option<i64>) -> Self {
        let saved_fp = match saved_fp {
            Some(offset) if offset == NOT_SAVED as i64 => return Self::plain(Kind::Complex),
            Some(offset) => offset,
            None => NOT_SAVED as i64,
        };
        if !fits(cfa, CFA_BITS) || !fits(saved_fp, SAVED_BITS) || saved_fp >= 0 {
            return Self::plain(Kind::Complex);
        }
        let cfa = field(cfa, CFA_BITS) << CFA_SHIFT;
        let saved = field(saved_fp, SAVED_BITS) << SAVED_SHIFT;
        Self((kind as u64) << KIND_SHIFT | saved | cfa | NUMBERLESS)
    }

    /// A rule without distances.
    pub(super) const fn plain(kind: Kind) -> Self {
        let saved = field(NOT_SAVED as i64, SAVED_BITS) << SAVED_SHIFT;
        Self((kind as u64) << KIND_SHIFT | saved | NUMBERLESS)
    }

    pub(super) const fn from_word(word: u64) -> Self {
        Self(word)
    }

    pub(super) const fn word(self) -> u64 {
        self.0
    }

    #[inline(always)]
    pub(super) const fn kind(self) -> Kind {
        match self.0 >> KIND_SHIFT & 7 {
            0 => Kind::Sp,
            1 => Kind::Fp,
            2 => Kind::Realigned,
            3 => Kind::Signal,
            4 => Kind::Root,
            5 => Kind::NoInfo,
            _ => Kind::Complex,
        }
    }

    /// Whether the kind is [`Kind::Sp`] or [`Kind::Fp`].
    #[inline(always)]
    pub(super) const fn is_common(self) -> bool {
        self.0 >> (KIND_SHIFT + 1) & 3 == 0
    }

    /// Whether the rule is a common one, of a frame that has a number.
    #[inline(always)]
    pub(super) const fn is_plain(self) -> bool {
        (self.0 as u32) >> (KIND_SHIFT + 1) == 0
    }

    /// Of a common rule: whether the base is the frame pointer.
    #[inline(always)]
    pub(super) const fn is_fp_based(self) -> bool {
        self.0 >> KIND_SHIFT & 1 != 0
    }

    /// Distance of the CFA from its base.
    #[inline(always)]
    pub(super) const fn cfa_offset(self) -> isize {
        extract(self.0, CFA_SHIFT, CFA_BITS)
    }

    /// Distance of the saved frame pointer from the CFA; meaningless if there is none.
    #[inline(always)]
    pub(super) const fn saved_fp_offset(self) -> isize {
        extract(self.0, SAVED_SHIFT, SAVED_BITS)
    }

    /// Whether the caller's frame pointer is on the stack.
    #[inline(always)]
    pub(super) const fn saves_fp(self) -> bool {
        self.saved_fp_offset() != NOT_SAVED
    }

    /// The number of the frame; 0: it has none yet.
    #[inline(always)]
    pub(super) const fn number(self) -> u32 {
        (self.0 & ((1 << NUMBER_BITS) - 1)) as u32
    }

    /// This rule with a number; without one if it does not fit.
    pub(super) const fn with_number(self, number: u32) -> Self {
        let cleared = self.0 & !((1 << NUMBER_BITS) - 1);
        match number {
            1..NUMBER_END => Self(cleared & !NUMBERLESS | number as u64),
            _ => Self(cleared | NUMBERLESS),
        }
    }
}

const fn fits(offset: i64, bits: u32) -> bool {
    let half = WORD << (bits - 1);
    offset % WORD == 0 && offset >= -half && offset < half
}

const fn field(offset: i64, bits: u32) -> u64 {
    (offset / WORD) as u64 & ((1 << bits) - 1)
}

#[inline(always)]
const fn extract(word: u64, shift: u32, bits: u32) -> isize {
    let top = (word << (u64::BITS - shift - bits)) as i64;
    (top >> (u64::BITS - bits)) as isize * WORD as isize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(
            is_fp in any::<bool>(),
            cfa in -(1i64 << 23)..1 << 23,
            saved in proptest::option::of(-1100i64..16),
            number in 0u32..1 << 28,
        ) {
            let kind = if is_fp { Kind::Fp } else { Kind::Sp };
            let rule = Rule::new(kind, cfa, saved).with_number(number);
            prop_assert_eq!(rule.number(), number);
            let saved_fits =
                saved.is_none_or(|at| at % 8 == 0 && (-1024..0).contains(&at) && at != -8);
            if cfa % 8 != 0 || !(-(1 << 22)..1 << 22).contains(&cfa) || !saved_fits {
                prop_assert_eq!(rule.kind(), Kind::Complex);
                return Ok(());
            }
            prop_assert!(rule.is_common());
            prop_assert_eq!(rule.is_plain(), number != 0);
            prop_assert_eq!((rule.kind(), rule.is_fp_based()), (kind, is_fp));
            prop_assert_eq!(rule.cfa_offset() as i64, cfa);
            prop_assert_eq!(rule.saves_fp(), saved.is_some());
            if let Some(saved) = saved {
                prop_assert_eq!(rule.saved_fp_offset() as i64, saved);
            }
        }
    }

    #[test]
    fn a_number_too_large_is_none() {
        assert_eq!(Rule::plain(Kind::Root).with_number(1 << 28), Rule::plain(Kind::Root));
        assert!(!Rule::plain(Kind::Realigned).is_common());
    }
}
