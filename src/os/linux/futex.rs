//! Waiting on a word, for [`crate::os::lock`].

use super::syscall::call;
use crate::base::sync::AtomicU32;

/// Sleeps while `*word == expected`; may return early.
pub(crate) fn wait(word: &AtomicU32, expected: u32) {
    let args = [word.as_ptr() as usize, FUTEX_WAIT_PRIVATE, expected as usize, 0, 0, 0];
    // SAFETY: FUTEX_WAIT reads the word, which the borrow keeps alive.
    unsafe { call(libc::SYS_futex, args) };
}

/// Wakes one sleeper of `word`.
pub(crate) fn wake_one(word: &AtomicU32) {
    // SAFETY: FUTEX_WAKE uses the address only as a key.
    unsafe { call(libc::SYS_futex, [word.as_ptr() as usize, FUTEX_WAKE_PRIVATE, 1, 0, 0, 0]) };
}

const FUTEX_WAIT_PRIVATE: usize = 128;
const FUTEX_WAKE_PRIVATE: usize = 129;
