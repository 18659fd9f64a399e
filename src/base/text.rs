//! A formatter into a fixed buffer, for words that must be said where nothing may allocate.

use core::fmt;

/// Up to `N` bytes of text. What does not fit is cut, never an error: a shortened message beats
/// none on the way to an abort.
#[derive(Debug)]
pub(crate) struct Text<const N: usize> {
    bytes: [u8; N],
    len: usize,
}

impl<const N: usize> Text<N> {
    pub(crate) const fn new() -> Self {
        Self { bytes: [0; N], len: 0 }
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    /// Ends the line, in place of its last byte if there is no room.
    pub(crate) fn push_end(&mut self) {
        self.len = self.len.min(N - 1);
        self.push_bytes(b"\n");
    }

    pub(crate) fn push_bytes(&mut self, bytes: &[u8]) {
        let count = bytes.len().min(N - self.len);
        self.bytes[self.len..self.len + count].copy_from_slice(&bytes[..count]);
        self.len += count;
    }
}

impl<const N: usize> fmt::Write for Text<N> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.push_bytes(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use core::fmt::Write;

    #[test]
    fn what_does_not_fit_is_cut() {
        let mut text = Text::<8>::new();
        write!(text, "block {:#x}", 0xabcd).unwrap();
        assert_eq!(text.as_bytes(), b"block 0x");
    }
}
