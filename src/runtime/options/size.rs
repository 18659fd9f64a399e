//! Numbers of bytes as people write them: `4096`, `512K`, `1M`.

use core::fmt::{self, Display, Formatter};

const SUFFIXES: [(u8, u32); 3] = [(b'G', 30), (b'M', 20), (b'K', 10)];

/// Reads a number of bytes; K, M and G, in either case, multiply by powers of 1024.
pub(super) fn read(text: &[u8]) -> Option<u64> {
    let (last, front) = text.split_last()?;
    let suffix = SUFFIXES.iter().find(|(letter, _)| last.eq_ignore_ascii_case(letter));
    let (digits, shift) = suffix.map_or((text, 0), |(_, shift)| (front, *shift));
    if !digits.first()?.is_ascii_digit() {
        return None;
    }
    let number = core::str::from_utf8(digits).ok()?.parse::<u64>().ok()?;
    number.checked_mul(1 << shift)
}

/// Shows a number of bytes so that [`read`] gets it back.
pub(super) struct Shown(pub(super) u64);

impl Display for Shown {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let whole = |shift: &u32| self.0 > 0 && self.0.trailing_zeros() >= *shift;
        match SUFFIXES.iter().find(|(_, shift)| whole(shift)) {
            Some((letter, shift)) => write!(f, "{}{}", self.0 >> shift, char::from(*letter)),
            None => self.0.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::string::ToString;

    #[test]
    fn suffixes_are_powers_of_1024() {
        let read = |text: &str| read(text.as_bytes());
        assert_eq!(read("512K"), Some(512 << 10));
        assert_eq!(read("1m"), Some(1 << 20));
        assert_eq!(read("3G"), Some(3 << 30));
        assert_eq!(read("77"), Some(77));
        for bad in ["", "K", "+5", "-1", "5X", "1KK", "99999999999999999999", "99999999999G"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_shown_is_read_back(bytes in any::<u64>(), shift in 0..40_u32) {
            let bytes = bytes >> shift << (shift / 2);
            prop_assert_eq!(read(Shown(bytes).to_string().as_bytes()), Some(bytes));
        }
    }
}
