//! The process: last words, and what the kernel told it at birth.

use super::syscall::call;

/// Writes all of `bytes` to file descriptor `fd`, as far as it takes them.
pub(crate) fn write(fd: i32, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        let args = [fd as usize, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: the kernel reads `bytes`, which the borrow keeps alive.
        let written = unsafe { call(libc::SYS_write, args) };
        match written {
            interrupted if interrupted == -(libc::EINTR as isize) => {}
            1.. => bytes = &bytes[written as usize..],
            _ => return,
        }
    }
}

/// Ends the process with SIGABRT, as `abort(3)` does: a handler of the program's gets to run.
pub(crate) fn abort() -> ! {
    // SAFETY: abort may always be called; it neither allocates nor takes an allocator lock.
    unsafe { libc::abort() }
}

/// This process's id.
pub(crate) fn id() -> u32 {
    // SAFETY: getpid has no arguments and cannot fail.
    unsafe { call(libc::SYS_getpid, [0; 6]) as u32 }
}

/// Whether the program runs with raised privileges, so that its environment must not be trusted.
pub(crate) fn is_secure() -> bool {
    // SAFETY: getauxval reads the auxiliary vector and nothing else.
    unsafe { libc::getauxval(libc::AT_SECURE) != 0 }
}

/// A number that differs from run to run, for the keys of freed blocks.
pub(crate) fn random_word() -> usize {
    let mut word = 0usize;
    let args = [&raw mut word as usize, size_of::<usize>(), GRND_NONBLOCK, 0, 0, 0];
    // SAFETY: the kernel writes one word, which is ours.
    let result = unsafe { call(libc::SYS_getrandom, args) };
    if result == size_of::<usize>() as isize {
        return word;
    }
    // Before the kernel's generator is ready: an address of this randomised stack, spread.
    (&raw const word as usize).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

const GRND_NONBLOCK: usize = 1;
