//! Rounding and exact division by an invariant divisor.

/// Rounds `value` up to a multiple of `step` (a power of two); `None` on overflow.
#[inline]
pub(crate) const fn checked_round_up(value: usize, step: usize) -> Option<usize> {
    debug_assert!(step.is_power_of_two());
    match value.checked_add(step - 1) {
        Some(sum) => Some(sum & !(step - 1)),
        None => None,
    }
}

/// Rounds `value` up to a multiple of `step` (a power of two). The caller knows it fits.
#[inline]
pub(crate) const fn round_up(value: usize, step: usize) -> usize {
    (value + step - 1) & !(step - 1)
}

/// How many `step`s cover `value`.
#[inline]
pub(crate) const fn div_ceil(value: usize, step: usize) -> usize {
    value.div_ceil(step)
}

/// A 32-bit divisor turned into a multiplication.
///
/// With `m = ⌈2^64 / d⌉`, for all 32-bit `n`: `n / d` is the high half of `n·m`, and `d` divides
/// `n` exactly when the low half of `n·m` is below `m` (Lemire, Kaser, Kurz: "Faster remainder by
/// direct computation", 2019). One multiplication answers "is this address a block start?".
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Divisor(u64);

impl Divisor {
    /// Divides by infinity: every quotient is zero.
    pub(crate) const INFINITY: Self = Self(0);

    /// Requires `divisor >= 2`.
    pub(crate) const fn new(divisor: u32) -> Self {
        debug_assert!(divisor >= 2);
        Self(u64::MAX / divisor as u64 + 1)
    }

    #[inline(always)]
    pub(crate) const fn divides(self, n: u32) -> bool {
        (n as u64).wrapping_mul(self.0) < self.0
    }

    /// The quotient, if there is no remainder: both answers of one multiplication.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the halves of the product")]
    pub(crate) const fn exact_quotient(self, n: u32) -> Option<u32> {
        let product = n as u128 * self.0 as u128;
        if (product as u64) < self.0 { Some((product >> 64) as u32) } else { None }
    }

    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the quotient of a u32 is a u32")]
    pub(crate) const fn quotient(self, n: u32) -> u32 {
        ((n as u128 * self.0 as u128) >> 64) as u32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn division_agrees_with_the_processor(n in 0u32..=1 << 26, d in 2u32..=1 << 19) {
            let divisor = Divisor::new(d);
            prop_assert_eq!(divisor.quotient(n), n / d);
            prop_assert_eq!(divisor.divides(n), n % d == 0);
            prop_assert_eq!(divisor.exact_quotient(n), (n % d == 0).then_some(n / d));
        }
    }

    #[test]
    fn rounding_reports_overflow() {
        assert_eq!(checked_round_up(1, 16), Some(16));
        assert_eq!(checked_round_up(32, 16), Some(32));
        assert_eq!(checked_round_up(usize::MAX - 3, 16), None);
    }
}
