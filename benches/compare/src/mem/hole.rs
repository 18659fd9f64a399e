//! A page behind which nothing may be touched.

/// See the module.
pub struct Page(*mut u8);

const PAGE: usize = 4096;

impl Page {
    /// Maps two, and takes the second away.
    pub fn new() -> Self {
        let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        let access = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a fresh mapping disturbs nothing.
        let start = unsafe { libc::mmap(std::ptr::null_mut(), 2 * PAGE, access, flags, -1, 0) };
        assert_ne!(start, libc::MAP_FAILED, "two pages");
        // SAFETY: its second page.
        let done = unsafe { libc::mprotect(start.byte_add(PAGE), PAGE, libc::PROT_NONE) };
        assert_eq!(done, 0, "a hole");
        Self(start.cast())
    }

    /// Far from both ends.
    pub fn middle(&self) -> *const u8 {
        self.0.wrapping_add(PAGE / 2)
    }

    /// The end.
    pub fn end(&self) -> *const u8 {
        self.0.wrapping_add(PAGE)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // SAFETY: what was mapped.
        unsafe { libc::munmap(self.0.cast(), 2 * PAGE) };
    }
}
