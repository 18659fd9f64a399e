//! Memory between two holes: what reads or writes a byte too many ends the test.

use std::vec::Vec;

/// See the module.
pub(super) struct Arena {
    start: *mut u8,
}

const HOLE: usize = 64 << 10;

impl Arena {
    /// Three pages.
    pub(super) const LEN: usize = 12 << 10;

    pub(super) fn new() -> Self {
        let anonymous = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let whole = 2 * HOLE + Self::LEN;
        // SAFETY: a fresh mapping disturbs nothing.
        let start =
            unsafe { libc::mmap(core::ptr::null_mut(), whole, libc::PROT_NONE, anonymous, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED);
        let start = start.cast::<u8>().wrapping_add(HOLE);
        // SAFETY: the middle of the mapping just made.
        let done =
            unsafe { libc::mprotect(start.cast(), Self::LEN, libc::PROT_READ | libc::PROT_WRITE) };
        assert_eq!(done, 0);
        Self { start }
    }

    pub(super) fn at(&self, offset: usize) -> *mut u8 {
        assert!(offset <= Self::LEN);
        self.start.wrapping_add(offset)
    }

    #[expect(clippy::mut_from_ref, reason = "the arena is this test's alone")]
    pub(super) fn bytes(&self) -> &mut [u8] {
        // SAFETY: mapped, and no other slice of it is held while this one is.
        unsafe { core::slice::from_raw_parts_mut(self.start, Self::LEN) }
    }

    /// Fills it with bytes that do not repeat soon.
    pub(super) fn scribble(&self, seed: u8) -> Vec<u8> {
        for (at, byte) in self.bytes().iter_mut().enumerate() {
            *byte = scribbled(at, seed);
        }
        self.bytes().to_vec()
    }
}

/// The byte at an offset: it repeats after 251 × 256 bytes.
pub(super) fn scribbled(at: usize, seed: u8) -> u8 {
    (at % 251) as u8 ^ (at / 251) as u8 ^ seed
}

impl Drop for Arena {
    fn drop(&mut self) {
        // SAFETY: the mapping that `new` made.
        unsafe { libc::munmap(self.start.sub(HOLE).cast(), 2 * HOLE + Self::LEN) };
    }
}
