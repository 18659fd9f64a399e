//! A copy of the process as it is at this moment, with the calling thread alone.
//!
//! It is made by a bare `clone`: no handlers of `pthread_atfork` run, the copy sends no signal when
//! it ends, and the program's `wait` does not see it. It shares the table of open files, so that a
//! file which the program closes is closed. It takes no signals, and dies with the thread that made
//! it.

use super::syscall::call;
use core::ptr::{self, NonNull};

/// What [`make`] has made.
#[derive(Debug)]
pub(crate) enum Made {
    /// This is the copy.
    Copy,
    /// This is the original, and that its child.
    Original(Child),
    /// The system does not allow it, or has no memory for it.
    Refused,
}

/// The copy, seen from the original. It is to be waited for.
#[derive(Debug)]
#[must_use]
pub(crate) struct Child(usize);

/// Not in libc: wait only for children that send another signal than SIGCHLD, or none.
const WCLONE: usize = 0x8000_0000;
/// Bytes of a set of signals.
const SET: usize = size_of::<u64>();

/// Makes the copy.
///
/// # Safety
/// The copy does nothing but compute, call the system directly and [`end`]: libc believes it to be
/// the original, and its locks may be held by threads that the copy does not have.
pub(crate) unsafe fn make() -> Made {
    let (all, mut before) = (u64::MAX, 0u64);
    let masks = [libc::SIG_BLOCK as usize, &raw const all as usize, &raw mut before as usize];
    // SAFETY: the kernel reads a set and writes one; the clone copies memory, and runs on the copy
    // of this stack.
    let child = unsafe {
        call(libc::SYS_rt_sigprocmask, [masks[0], masks[1], masks[2], SET, 0, 0]);
        call(libc::SYS_clone, [libc::CLONE_FILES as usize, 0, 0, 0, 0, 0])
    };
    if child == 0 {
        let args = [libc::PR_SET_PDEATHSIG as usize, libc::SIGKILL as usize, 0, 0, 0, 0];
        // SAFETY: concerns this process only.
        unsafe { call(libc::SYS_prctl, args) };
        return Made::Copy;
    }
    let set = [libc::SIG_SETMASK as usize, &raw const before as usize, 0, SET, 0, 0];
    // SAFETY: as above.
    unsafe { call(libc::SYS_rt_sigprocmask, set) };
    usize::try_from(child).map_or(Made::Refused, |id| Made::Original(Child(id)))
}

/// Ends the copy. `is_well`: what [`Child::wait`] says.
pub(crate) fn end(is_well: bool) -> ! {
    loop {
        // SAFETY: ends the process.
        unsafe { call(libc::SYS_exit_group, [usize::from(!is_well), 0, 0, 0, 0, 0]) };
    }
}

impl Child {
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
            Made::Refused => panic!("no copy"),
        }
        assert_eq!(number, 5);
        assert_eq!(board.open().map(|bytes| bytes[7]), Some(6));
        // SAFETY: as above.
        match unsafe { make() } {
            Made::Copy => end(false),
            Made::Original(child) => assert!(!child.wait()),
            Made::Refused => panic!("no copy"),
        }
    }
}
