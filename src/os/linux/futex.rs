//! Waiting on a word.

use super::syscall::call;
use crate::base::sync::AtomicUsize;

/// Sleeps while the low half of `*word` is that of `expected`; may return early.
pub(crate) fn wait(word: &AtomicUsize, expected: usize) {
    let args = [low_half(word), FUTEX_WAIT_PRIVATE, expected & u32::MAX as usize, 0, 0, 0];
    // SAFETY: FUTEX_WAIT reads half the word, which the borrow keeps alive.
    unsafe { call(libc::SYS_futex, args) };
}

/// Wakes one sleeper of `word`.
pub(crate) fn wake_one(word: &AtomicUsize) {
    // SAFETY: FUTEX_WAKE uses the address only as a key.
    unsafe { call(libc::SYS_futex, [low_half(word), FUTEX_WAKE_PRIVATE, 1, 0, 0, 0]) };
}

/// Address of the 32 bits that the kernel compares.
fn low_half(word: &AtomicUsize) -> usize {
    let first_is_high = cfg!(all(target_endian = "big", target_pointer_width = "64"));
    word.as_ptr() as usize + if first_is_high { size_of::<u32>() } else { 0 }
}

const FUTEX_WAIT_PRIVATE: usize = 128;
const FUTEX_WAKE_PRIVATE: usize = 129;

/// As [`wait`], for so long at most.
pub(crate) fn wait_for(word: &AtomicUsize, expected: usize, nanoseconds: u32) {
    let limit = [0usize, nanoseconds as usize];
    let limit = &raw const limit as usize;
    let args = [low_half(word), FUTEX_WAIT_PRIVATE, expected & u32::MAX as usize, limit, 0, 0];
    // SAFETY: as in `wait`; the kernel reads the time.
    unsafe { call(libc::SYS_futex, args) };
}

/// Wakes all sleepers of `word`.
pub(crate) fn wake_all(word: &AtomicUsize) {
    let all = i32::MAX as usize;
    // SAFETY: as in `wake_one`.
    unsafe { call(libc::SYS_futex, [low_half(word), FUTEX_WAKE_PRIVATE, all, 0, 0, 0]) };
}
