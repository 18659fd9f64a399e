//! Small files of the kernel's, read without libc: `/proc/self/...`.

use super::syscall::call;
use core::ffi::CStr;

/// An open file, closed when dropped.
#[derive(Debug)]
pub(super) struct File(usize);

impl File {
    pub(super) fn open(path: &CStr, flags: i32) -> Option<Self> {
        let flags = (libc::O_RDONLY | libc::O_CLOEXEC | flags) as usize;
        let at = libc::AT_FDCWD as usize;
        // SAFETY: the path is a C string.
        let file = unsafe { call(libc::SYS_openat, [at, path.as_ptr() as usize, flags, 0, 0, 0]) };
        usize::try_from(file).ok().map(Self)
    }

    /// Reads what comes next; how many bytes. Zero: the end, or an error.
    pub(super) fn read(&self, buffer: &mut [u8]) -> usize {
        self.fill(libc::SYS_read, buffer)
    }

    /// Reads the directory's next entries, as the kernel lays them out.
    pub(super) fn entries(&self, buffer: &mut [u8]) -> usize {
        self.fill(libc::SYS_getdents64, buffer)
    }

    fn fill(&self, number: libc::c_long, buffer: &mut [u8]) -> usize {
        let args = [self.0, buffer.as_mut_ptr() as usize, buffer.len(), 0, 0, 0];
        loop {
            // SAFETY: the kernel writes at most the buffer's length.
            let len = unsafe { call(number, args) };
            if len != -(libc::EINTR as isize) {
                return usize::try_from(len).unwrap_or(0).min(buffer.len());
            }
        }
    }
}

impl Drop for File {
    fn drop(&mut self) {
        // SAFETY: the file is ours.
        unsafe { call(libc::SYS_close, [self.0, 0, 0, 0, 0, 0]) };
    }
}

/// Reads the start of a file; how many bytes.
pub(super) fn read(path: &CStr, buffer: &mut [u8]) -> usize {
    let Some(file) = File::open(path, 0) else { return 0 };
    let mut len = 0;
    while len < buffer.len() {
        match file.read(&mut buffer[len..]) {
            0 => break,
            more => len += more,
        }
    }
    len
}
