//! The threads of this process, as the kernel lists them.

use super::file::{self, File};
use super::syscall::call;
use crate::base::text::Text;
use core::ffi::CStr;
use core::fmt::Write;

/// Visits the kernel ids of all threads. `false`: the system does not tell.
pub(crate) fn for_each(mut visit: impl FnMut(u32)) -> bool {
    let Some(directory) = File::open(c"/proc/self/task", libc::O_DIRECTORY) else { return false };
    let mut buffer = [0u8; 2048];
    loop {
        let len = directory.entries(&mut buffer);
        if len == 0 {
            return true;
        }
        let mut rest = &buffer[..len];
        // An entry is two words, its own length, a type, and a name that ends with a zero byte.
        while let Some(entry) = rest.get(..ENTRY_HEAD) {
            let own_len = usize::from(u16::from_ne_bytes([entry[16], entry[17]]));
            let name = rest.get(ENTRY_HEAD..own_len).unwrap_or_default();
            number(name).into_iter().for_each(&mut visit);
            rest = rest.get(own_len.max(ENTRY_HEAD)..).unwrap_or_default();
        }
    }
}

/// How many threads there are, where the system tells.
pub(crate) fn count() -> Option<usize> {
    let mut threads = 0;
    for_each(|_| threads += 1).then_some(threads)
}

const ENTRY_HEAD: usize = 19;

/// The decimal number that a name consists of.
fn number(name: &[u8]) -> Option<u32> {
    let digits = name.split(|byte| *byte == 0).next().filter(|digits| !digits.is_empty())?;
    digits.iter().try_fold(0u32, |number, digit| {
        let digit = digit.wrapping_sub(b'0');
        (digit < 10).then_some(number.wrapping_mul(10).wrapping_add(u32::from(digit)))
    })
}

/// Sends the calling thread a signal.
pub(crate) fn raise(signal: i32) {
    let (process, thread) = (super::process::id() as usize, super::thread::id() as usize);
    // SAFETY: changes nothing but what is pending.
    unsafe { call(libc::SYS_tgkill, [process, thread, signal as usize, 0, 0, 0]) };
}

/// Sends a thread of this process a signal with a value. `false`: there is no such thread.
pub(crate) fn signal(id: u32, signal: i32, value: usize) -> bool {
    #[repr(C)]
    struct Info {
        signal: i32,
        errno: i32,
        code: i32,
        _pad: i32,
        process: i32,
        user: u32,
        value: usize,
        _rest: [usize; 12],
    }
    const { assert!(size_of::<Info>() == size_of::<libc::siginfo_t>()) };
    let process = super::process::id();
    let info = Info {
        signal,
        errno: 0,
        code: libc::SI_QUEUE,
        _pad: 0,
        process: process.cast_signed(),
        user: 0,
        value,
        _rest: [0; 12],
    };
    let info = &raw const info as usize;
    let args = [process as usize, id as usize, signal as usize, info, 0, 0];
    // SAFETY: the kernel reads the record, which it accepts of a process for itself.
    unsafe { call(libc::SYS_rt_tgsigqueueinfo, args) == 0 }
}

/// What a thread is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Doing {
    /// It has ended: only its entry is still there.
    pub(crate) is_dead: bool,
    /// Signals that it does not take now: bit `n - 1` for signal `n`.
    pub(crate) blocked: u64,
}

/// What the thread is doing. `None`: there is no such thread, or the system does not tell.
pub(crate) fn doing(id: u32) -> Option<Doing> {
    let mut buffer = [0u8; 2048];
    let len = read(id, "status", &mut buffer);
    parse_status(&buffer[..len])
}

fn parse_status(text: &[u8]) -> Option<Doing> {
    let field = |name: &[u8]| {
        let line = text.split(|byte| *byte == b'\n').find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_ascii())
    };
    let state = field(b"State:")?.first()?;
    let blocked = field(b"SigBlk:")?.iter().try_fold(0u64, |mask, digit| {
        Some(mask << 4 | u64::from(char::from(*digit).to_digit(16)?))
    })?;
    Some(Doing { is_dead: matches!(state, b'Z' | b'X'), blocked })
}

/// The stack pointer of a thread that waits in the kernel. `None`: it runs, or the system does not
/// tell.
pub(crate) fn stack_pointer(id: u32) -> Option<usize> {
    let mut buffer = [0u8; 256];
    let len = read(id, "syscall", &mut buffer);
    parse_syscall(&buffer[..len])
}

/// `NUMBER SIX-ARGUMENTS SP PC`, or `-1 SP PC`, or `running`.
fn parse_syscall(text: &[u8]) -> Option<usize> {
    let mut words = text.trim_ascii().rsplit(|byte| *byte == b' ');
    let (_pc, sp) = (words.next()?, words.next()?);
    let digits = sp.strip_prefix(b"0x")?;
    digits.iter().try_fold(0usize, |number, digit| {
        Some(number << 4 | char::from(*digit).to_digit(16)? as usize)
    })
}

fn read(id: u32, name: &str, buffer: &mut [u8]) -> usize {
    let mut path = Text::<64>::new();
    let _fits = write!(path, "/proc/self/task/{id}/{name}\0");
    CStr::from_bytes_until_nul(path.as_bytes()).map_or(0, |path| file::read(path, buffer))
}

/// The calling thread's alternate signal stack: start and length.
pub(crate) fn alternate_stack() -> Option<(usize, usize)> {
    let mut stack = libc::stack_t { ss_sp: core::ptr::null_mut(), ss_flags: 0, ss_size: 0 };
    // SAFETY: the kernel writes the record.
    let result = unsafe { call(libc::SYS_sigaltstack, [0, &raw mut stack as usize, 0, 0, 0, 0]) };
    let is_set = result == 0 && stack.ss_flags & libc::SS_DISABLE == 0 && stack.ss_size > 0;
    is_set.then_some((stack.ss_sp as usize, stack.ss_size))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_thread_is_listed_and_runs() {
        let (me, mut found) = (super::super::thread::id(), 0);
        assert!(for_each(|id| found += u32::from(id == me)));
        assert_eq!(found, 1);
        assert_eq!(doing(me).map(|doing| doing.is_dead), Some(false));
        assert_eq!(doing(u32::MAX), None);
    }

    #[test]
    fn what_the_kernel_says_is_understood() {
        let text = b"Name:\tState: x\nState:\tS (sleeping)\nSigBlk:\t0000000000400001\n";
        assert_eq!(parse_status(text), Some(Doing { is_dead: false, blocked: 0x40_0001 }));
        let zombie = b"State:\tZ (zombie)\nSigBlk:\t0\n";
        assert_eq!(parse_status(zombie).map(|doing| doing.is_dead), Some(true));
        assert_eq!(parse_status(b"State:\tS\n"), None);
        assert_eq!(parse_syscall(b"7 0x1 0x2 0x3 0x4 0x5 0x6 0x7ffe10 0x7f00\n"), Some(0x7ffe10));
        assert_eq!(parse_syscall(b"-1 0x7ffe20 0x7f00\n"), Some(0x7ffe20));
        assert_eq!(parse_syscall(b"running\n"), None);
        assert_eq!(parse_syscall(b""), None);
        assert_eq!([number(b"12\0"), number(b"..\0"), number(b"\0")], [Some(12), None, None]);
    }
}
