//! The sized C functions of the system that Heapsight grew from.

#![expect(unreachable_pub, reason = "cbindgen reads `pub`")]

use core::ffi::c_void;
use engine::ffi;

/// Frees a block of `malloc`, `calloc`, `realloc` or `c_realloc` whose size the caller knows.
///
/// `ptr` may be null. A `size` that is not the block's is a mistake, and reported; with
/// `safety_action=report` or `callback` the block is freed all the same. Zero means "unknown" and
/// is not checked.
#[unsafe(no_mangle)]
pub extern "C" fn c_free(ptr: *mut c_void, size: usize) {
    ffi::free_with_size(ptr, size);
}

/// Resizes a block whose size the caller knows.
///
/// Like `realloc`, with `old_size` checked as in `c_free`. Returns null, and leaves the block as it
/// was, when memory runs out; frees the block and returns null when `new_size` is zero.
#[unsafe(no_mangle)]
pub extern "C" fn c_realloc(ptr: *mut c_void, old_size: usize, new_size: usize) -> *mut c_void {
    ffi::realloc_with_size(ptr, old_size, new_size)
}
