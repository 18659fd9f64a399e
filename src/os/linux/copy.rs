//! A copy of the process as it is at this moment, with the calling thread alone.
//!
//! It is made by a bare `clone`: no handlers of `pthread_atfork` run, and the program's `wait` does
//! not see it, because it sends no SIGCHLD when it ends.
//!
//! A copy that is waited for ([`make`]) shares the table of open files, so that a file which the
//! program closes is closed. It takes no signals, and dies with the thread that made it. One that
//! goes on by itself ([`leave`]) may outlive that thread: it [settles](settle) first.

use super::syscall::call;
use core::ffi::CStr;
use core::ptr::{self, NonNull};

/// What [`make`] has made.
#[derive(Debug)]
pub(crate) enum Made {
    /// This is the copy.
    Copy,
    /// This is the original, and that its child.
    Original(Child),
    /// The system does not allow it, or has no memory for it: the number of the error.
    Refused(i32),
}

/// The copy, seen from the original. It is to be waited for.
#[derive(Debug)]
#[must_use]
pub(crate) struct Child(usize);

/// How a copy stands that nobody waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    Running,
    /// It has ended, with this status as `wait` gives it, and no trace of it is left.
    Ended(i32),
}

/// Not in libc: wait only for children that send another signal than SIGCHLD, or none.
const WCLONE: usize = 0x8000_0000;
/// Bytes of a set of signals.
const SET: usize = size_of::<u64>();
/// Signals are numbered from one to this.
const SIGNALS: usize = 64;

/// Makes the copy.
///
/// # Safety
/// The copy does nothing but compute, call the system directly and [`end`]: libc believes it to be
/// the original, and its locks may be held by threads that the copy does not have.
pub(crate) unsafe fn make() -> Made {
    // SAFETY: the caller's.
    let made = unsafe { copied(libc::CLONE_FILES as usize) };
    if matches!(made, Made::Copy) {
        let args = [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0, 0];
        // SAFETY: concerns this process only.
        unsafe { call(libc::SYS_prctl, args) };
    }
    made
}

/// Makes a copy that goes on by itself. The original gets `signal` when it ends; zero: none. Then
/// the program's `wait` does not see it, and [`Child::standing`] clears it away.
///
/// # Safety
/// As [`make`], and the copy [settles](settle) first of all.
pub(crate) unsafe fn leave(signal: i32) -> Made {
    debug_assert!(signal != libc::SIGCHLD);
    // SAFETY: the caller's.
    unsafe { copied(signal.cast_unsigned() as usize) }
}

/// # Safety
/// As [`make`].
unsafe fn copied(flags: usize) -> Made {
    let (all, mut before) = (u64::MAX, 0u64);
    let masks = [libc::SIG_BLOCK as usize, &raw const all as usize, &raw mut before as usize];
    // SAFETY: the kernel reads a set and writes one; the clone copies memory, and runs on the copy
    // of this stack.
    let child = unsafe {
        call(libc::SYS_rt_sigprocmask, [masks[0], masks[1], masks[2], SET, 0, 0]);
        call(libc::SYS_clone, [flags, 0, 0, 0, 0, 0])
    };
    if child == 0 {
        return Made::Copy;
    }
    let set = [libc::SIG_SETMASK as usize, &raw const before as usize, 0, SET, 0, 0];
    // SAFETY: as above.
    unsafe { call(libc::SYS_rt_sigprocmask, set) };
    usize::try_from(child).map_or(Made::Refused(-child as i32), |id| Made::Original(Child(id)))
}

/// In a copy that goes on by itself: it lets go of the program's files, runs none of its signal
/// handlers, leaves no core, has a name of its own, and ends after so many seconds in any case.
pub(crate) fn settle(name: &CStr, seconds: usize) {
    let default = [0usize; 4];
    let alarm = 1u64 << (libc::SIGALRM - 1);
    let (no_core, timer) = ([0u64; 2], [0, 0, seconds, 0]);
    let (default, alarm, no_core) = (&raw const default, &raw const alarm, &raw const no_core);
    let timer = &raw const timer;
    // SAFETY: all of it concerns this process only, whose other threads do not exist: the kernel
    // reads an action of zeros, which is the default one, a set of signals, a limit and a name.
    unsafe {
        call(libc::SYS_close_range, [0, u32::MAX as usize, 0, 0, 0, 0]);
        for signal in 1..=SIGNALS {
            call(libc::SYS_rt_sigaction, [signal, default as usize, 0, SET, 0, 0]);
        }
        let core = libc::RLIMIT_CORE as usize;
        call(libc::SYS_prlimit64, [0, core, no_core as usize, 0, 0, 0]);
        call(libc::SYS_prctl, [libc::PR_SET_NAME as usize, name.as_ptr() as usize, 0, 0, 0, 0]);
        call(libc::SYS_setitimer, [libc::ITIMER_REAL as usize, timer as usize, 0, 0, 0, 0]);
        call(libc::SYS_rt_sigprocmask, [libc::SIG_UNBLOCK as usize, alarm as usize, 0, SET, 0, 0]);
    }
}

/// Ends the copy. `is_well`: what [`Child::wait`] says.
pub(crate) fn end(is_well: bool) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { call(libc::SYS_exit_group, [usize::from(!is_well), 0, 0, 0, 0, 0]) };
    }
}

impl Child {
    /// Its process id.
    pub(crate) fn id(&self) -> u32 {
        self.0 as u32
    }

    /// How a copy stands that was [left](leave) to itself; does not wait.
    pub(crate) fn standing(id: u32) -> Standing {
        let mut status = 0i32;
        let options = WCLONE | libc::WNOHANG as usize;
        let args = [id as usize, &raw mut status as usize, options, 0, 0, 0];
        // SAFETY: the kernel writes the status.
        match unsafe { call(libc::SYS_wait4, args) } {
            0 => Standing::Running,
            interrupted if interrupted == -(libc::EINTR as isize) => Standing::Running,
            // Somebody else may have cleared it away: then nothing is known of its status.
            _ => Standing::Ended(status),
        }
    }

    /// Waits for its end; whether it was a good one.
    pub(crate) fn wait(self) -> bool {
        let mut status = -1;
        loop {
            let args = [self.0, &raw mut status as usize, WCLONE, 0, 0, 0];
            // SAFETY: the kernel writes the status.
            match unsafe { call(libc::SYS_wait4, args) } {
                interrupted if interrupted == -(libc::EINTR as isize) => {}
                id => return usize::try_from(id) == Ok(self.0) && status == 0,
            }
        }
    }
}

/// Memory that both share. It cannot be read before it is [opened](Self::open): so no search for
/// pointers goes there.
#[derive(Debug)]
pub(crate) struct Board {
    start: NonNull<u8>,
    len: usize,
}

impl Board {
    /// As much as the system gives, at most `most` bytes and at least a page.
    pub(crate) fn of_at_most(most: usize) -> Option<Self> {
        let halves = core::iter::successors(Some(most), |len| Some(len / 2));
        halves.take_while(|len| *len >= super::memory::PAGE).find_map(|len| {
            let flags = (libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE) as usize;
            let args = [0, len, libc::PROT_NONE as usize, flags, usize::MAX, 0];
            // SAFETY: a fresh mapping at an address of the kernel's choice disturbs nothing.
            let start = unsafe { call(libc::SYS_mmap, args) };
            let start = usize::try_from(start).ok().map(ptr::with_exposed_provenance_mut)?;
            Some(Self { start: NonNull::new(start)?, len })
        })
    }

    /// Its bytes: zero until somebody writes them.
    pub(crate) fn open(&mut self) -> Option<&mut [u8]> {
        // SAFETY: the mapping is ours.
        let is_open = unsafe { super::memory::commit(self.start, self.len) };
        // SAFETY: mapped, that long, and the other process has finished before this one looks.
        is_open.then(|| unsafe { core::slice::from_raw_parts_mut(self.start.as_ptr(), self.len) })
    }
}

impl Drop for Board {
    fn drop(&mut self) {
        // SAFETY: the mapping is ours, and nobody borrows from it.
        unsafe { super::memory::release(self.start, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_what_was_there_and_keeps_what_it_does_to_itself() {
        let mut board = Board::of_at_most(1 << 20).expect("memory");
        let mut number = 5u8;
        // SAFETY: the copy computes, writes to the board, and ends.
        match unsafe { make() } {
            Made::Copy => {
                number += 1;
                if let Some(bytes) = board.open() {
                    bytes[7] = number;
                }
                end(true)
            }
            Made::Original(child) => assert!(child.wait()),
            Made::Refused(_) => panic!("no copy"),
        }
        assert_eq!(number, 5);
        assert_eq!(board.open().map(|bytes| bytes[7]), Some(6));
        // SAFETY: as above.
        match unsafe { make() } {
            Made::Copy => end(false),
            Made::Original(child) => assert!(!child.wait()),
            Made::Refused(_) => panic!("no copy"),
        }
    }

    #[test]
    fn a_copy_goes_on_by_itself_and_is_no_child_to_wait_for() {
        // SAFETY: the copy settles and ends.
        let child = match unsafe { leave(0) } {
            Made::Copy => {
                settle(c"a-copy", 60);
                end(true)
            }
            Made::Original(child) => child,
            Made::Refused(error) => panic!("no copy: {error}"),
        };
        let id = child.id();
        // SAFETY: asks for children only, of which this process may have others.
        let seen = unsafe { libc::waitpid(id.cast_signed(), ptr::null_mut(), 0) };
        assert_eq!(seen, -1, "the program sees no child");
        let mut standing = Standing::Running;
        while standing == Standing::Running {
            standing = Child::standing(id);
        }
        assert_eq!(standing, Standing::Ended(0));
    }
}
