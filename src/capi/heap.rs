//! `heapsight_malloc` and its family.

use super::memory;
use core::ffi::c_void;

/// Allocates `size` bytes, aligned to 16. Zero bytes give a unique block.
///
/// Returns null and sets `errno` to `ENOMEM` when memory runs out. Free with `heapsight_free`, or
/// with `free` where libheapsight is linked.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_malloc(size: usize) -> *mut c_void {
    memory::malloc(size)
}

/// Allocates `count * size` bytes, zeroed.
///
/// Returns null and sets `errno` to `ENOMEM` when memory runs out or the product overflows.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_calloc(count: usize, size: usize) -> *mut c_void {
    memory::calloc(count, size)
}

/// Resizes a block, moving it if it must; null allocates.
///
/// Returns null and leaves the block as it was when memory runs out; frees it and returns null when
/// `size` is zero.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_realloc(ptr: *mut c_void, size: usize) -> *mut c_void {
    memory::realloc(ptr, size)
}

/// Frees a block, from any thread; null does nothing. `errno` is kept.
///
/// An address that is no block in use is reported on stderr and ends the process (`safety=basic`),
/// or is ignored (`safety=off`).
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_free(ptr: *mut c_void) {
    memory::free(ptr);
}

/// Allocates `size` bytes aligned to `align`, a power of two.
///
/// Returns null and sets `errno` to `EINVAL` for another alignment, `ENOMEM` when memory runs out.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_aligned_alloc(align: usize, size: usize) -> *mut c_void {
    memory::aligned_alloc(align, size)
}

/// Bytes that may be used at `ptr`, at least those asked for; zero for null.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_usable_size(ptr: *const c_void) -> usize {
    memory::usable_size(ptr.cast_mut())
}

/// Gives memory that no block uses back to the system. Returns whether there was any.
#[unsafe(no_mangle)]
pub extern "C" fn heapsight_trim() -> bool {
    crate::runtime::entry::trim()
}
