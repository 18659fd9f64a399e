//! Plain bytes in the place of a register.

/// As many bytes as a register has.
#[derive(Clone, Copy, Debug)]
pub(in super::super) struct Bytes<const N: usize>(pub(super) [u8; N]);

impl<const N: usize> Bytes<N> {
    pub(super) fn map2(self, other: Self, each: impl Fn(u8, u8) -> u8) -> Self {
        Self(core::array::from_fn(|at| each(self.0[at], other.0[at])))
    }

    /// A bit for each byte of which it is true.
    pub(super) fn which(self, is: impl Fn(u8) -> bool) -> u64 {
        self.0.iter().enumerate().map(|(at, byte)| u64::from(is(*byte)) << at).sum()
    }
}
