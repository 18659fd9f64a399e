//! The process: last words, and what the kernel told it at birth.

use super::file;
use super::syscall::call;
use core::ffi::CStr;

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

/// Adds `bytes` to the end of a file, made if there is none; to the beginning of an empty one
/// `first`. Whether all of it was written.
pub(crate) fn append(path: &CStr, first: &[u8], bytes: &[u8]) -> bool {
    // What is no file must not make us wait.
    let flags = libc::O_WRONLY | libc::O_APPEND | libc::O_CREAT | libc::O_CLOEXEC;
    let flags = (flags | libc::O_NONBLOCK | libc::O_NOCTTY) as usize;
    let at = libc::AT_FDCWD as usize;
    let args = [at, path.as_ptr() as usize, flags, 0o644, 0, 0];
    // SAFETY: the path is a C string.
    let Ok(file) = usize::try_from(unsafe { call(libc::SYS_openat, args) }) else { return false };
    // SAFETY: the file is ours; asks for its length.
    let len = unsafe { call(libc::SYS_lseek, [file, 0, libc::SEEK_END as usize, 0, 0, 0]) };
    let add = |bytes: &[u8]| {
        let args = [file, bytes.as_ptr() as usize, bytes.len(), 0, 0, 0];
        // SAFETY: the kernel reads `bytes`, which the borrow keeps alive.
        unsafe { call(libc::SYS_write, args) == bytes.len() as isize }
    };
    let is_written = (len != 0 || add(first)) && add(bytes);
    // SAFETY: the file is ours.
    unsafe { call(libc::SYS_close, [file, 0, 0, 0, 0, 0]) };
    is_written
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

/// Whether there is a process of this id.
pub(crate) fn is_alive(id: u32) -> bool {
    // SAFETY: signal 0 is none: the kernel only looks whether it could be sent.
    let result = unsafe { call(libc::SYS_kill, [id as usize, 0, 0, 0, 0, 0]) };
    result == 0 || result == -(libc::EPERM as isize)
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

/// The path of the running program, as far as `buffer` holds it.
pub(crate) fn program(buffer: &mut [u8]) -> &[u8] {
    let link = c"/proc/self/exe".as_ptr() as usize;
    let args = [libc::AT_FDCWD as usize, link, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0];
    // SAFETY: the kernel writes at most the buffer's length.
    let len = unsafe { call(libc::SYS_readlinkat, args) };
    buffer.get(..usize::try_from(len).unwrap_or(0)).unwrap_or_default()
}

/// The arguments of the program, each ended by a zero byte, as far as `buffer` holds them.
pub(crate) fn command(buffer: &mut [u8]) -> &[u8] {
    let len = file::read(c"/proc/self/cmdline", buffer);
    &buffer[..len]
}

/// The calling thread's name, padded with zeros.
pub(crate) fn thread_name() -> [u8; 16] {
    let mut name = [0; 16];
    // SAFETY: the kernel writes sixteen bytes.
    unsafe {
        let to = name.as_mut_ptr() as usize;
        call(libc::SYS_prctl, [libc::PR_GET_NAME as usize, to, 0, 0, 0, 0]);
    }
    name
}

/// Resident bytes of the process; zero where the system does not tell.
pub(crate) fn resident_bytes() -> u64 {
    let mut text = [0u8; 64];
    let len = file::read(c"/proc/self/statm", &mut text);
    let second = text[..len].split(|byte| *byte == b' ').nth(1);
    let pages = second.unwrap_or_default().iter().fold(0, |number: u64, digit| {
        number.wrapping_mul(10).wrapping_add(u64::from(digit.wrapping_sub(b'0')))
    });
    // SAFETY: getauxval reads the auxiliary vector and nothing else.
    pages * unsafe { libc::getauxval(libc::AT_PAGESZ) }
}

/// Has the kernel kill the process in so many seconds. `None`: it has no timer left.
pub(crate) fn kill_after(seconds: i64) -> Option<i32> {
    // SAFETY: all-zero is an event.
    let mut event: libc::sigevent = unsafe { core::mem::zeroed() };
    event.sigev_notify = libc::SIGEV_SIGNAL;
    event.sigev_signo = libc::SIGKILL;
    let mut timer = 0i32;
    let clock = libc::CLOCK_MONOTONIC as usize;
    let args = [clock, &raw mut event as usize, &raw mut timer as usize, 0, 0, 0];
    // SAFETY: the kernel reads the event and writes the timer's number.
    if unsafe { call(libc::SYS_timer_create, args) } != 0 {
        return None;
    }
    let none = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    let times = libc::itimerspec {
        it_interval: none,
        it_value: libc::timespec { tv_sec: seconds, tv_nsec: 0 },
    };
    // SAFETY: the timer was just made; the kernel reads the times.
    unsafe {
        call(libc::SYS_timer_settime, [timer as usize, 0, &raw const times as usize, 0, 0, 0]);
    }
    Some(timer)
}

/// Takes [`kill_after`] back.
pub(crate) fn forget_timer(timer: i32) {
    // SAFETY: a timer of this process.
    unsafe { call(libc::SYS_timer_delete, [timer as usize, 0, 0, 0, 0, 0]) };
}
