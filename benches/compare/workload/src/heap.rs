//! The malloc family of libc, as the workloads call it.
//!
//! Each call hides its result from the optimiser, which knows `malloc` by name and would
//! otherwise delete a block that is only freed again. A failed allocation ends the run: a
//! measurement of a workload that did not happen is worth nothing.

use std::hint::black_box;
use std::ptr::{NonNull, null_mut};

/// The distance between the bytes written by [`Block::touch_pages`].
const PAGE_BYTES: usize = 4096;

/// One live block. `Copy`, as a C program's pointers are; each workload frees it exactly once.
#[derive(Clone, Copy)]
pub struct Block(NonNull<u8>);

// SAFETY: A block is memory without an owner; the workloads hand it over through queues and
// joins, which order the accesses.
unsafe impl Send for Block {}

impl Block {
    fn expect(ptr: *mut libc::c_void, size: usize) -> Self {
        match NonNull::new(black_box(ptr).cast::<u8>()) {
            Some(ptr) => Self(ptr),
            None => fail(size),
        }
    }

    /// Writes the first byte: nobody allocates a block and leaves it alone.
    fn used(self) -> Self {
        // SAFETY: Every workload asks for at least one byte, so the first belongs to the block.
        unsafe { self.0.as_ptr().write_volatile(1) };
        self
    }

    /// `malloc(size)`, with its first byte written.
    pub fn allocate(size: usize) -> Self {
        // SAFETY: malloc may be called with any size.
        Self::expect(unsafe { libc::malloc(size) }, size).used()
    }

    /// `calloc(1, size)`, with its first byte written.
    pub fn allocate_zeroed(size: usize) -> Self {
        // SAFETY: calloc may be called with any size.
        Self::expect(unsafe { libc::calloc(1, size) }, size).used()
    }

    /// `posix_memalign`, with its first byte written; the alignment is a power of two of at
    /// least the size of a pointer.
    pub fn allocate_aligned(alignment: usize, size: usize) -> Self {
        let mut out = null_mut();
        // SAFETY: `out` is a valid place for the result.
        let status = unsafe { libc::posix_memalign(&raw mut out, alignment, size) };
        if status != 0 {
            fail(size);
        }
        Self::expect(out, size).used()
    }

    /// `realloc`; the old handle must not be used again.
    pub fn resize(self, size: usize) -> Self {
        // SAFETY: `self` is a live block, and its caller gives it up.
        Self::expect(unsafe { libc::realloc(self.0.as_ptr().cast(), size) }, size)
    }

    /// `free`; the handle must not be used again.
    pub fn release(self) {
        // SAFETY: `self` is a live block, and its caller gives it up.
        unsafe { libc::free(black_box(self.0.as_ptr()).cast()) };
    }

    /// Writes one byte of every page in `from..to`, so that the kernel must provide them.
    pub fn touch_pages(self, from: usize, to: usize) {
        for offset in (from..to).step_by(PAGE_BYTES) {
            // SAFETY: The caller names bytes inside the block.
            unsafe { self.0.as_ptr().add(offset).write_volatile(1) };
        }
    }

    /// The block as an address, to be kept in an atomic.
    pub fn into_raw(self) -> *mut u8 {
        self.0.as_ptr()
    }

    /// The block that [`Block::into_raw`] turned into an address; ends the run on null.
    pub fn from_raw(ptr: *mut u8) -> Self {
        Self::expect(ptr.cast(), 0)
    }
}

#[cold]
fn fail(size: usize) -> ! {
    eprintln!("workload: the allocator returned null for {size} bytes; nothing was measured");
    std::process::exit(1)
}
