//! The malloc family under its own names, libc's aliases of it, and BSD's extensions.
//!
//! Semantics, corner cases and `errno` are those of [`engine::ffi`]. Fixed-size prototypes follow
//! glibc 2.36 and C23.

use core::ffi::{c_int, c_void};
use engine::ffi;

/// Forwards each exported name to a function of the engine's C face.
macro_rules! forward {
    ($($name:ident($($arg:ident: $type:ty),*) $(-> $result:ty)? = $target:path;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub(crate) unsafe extern "C" fn $name($($arg: $type),*) $(-> $result)? {
                $target($($arg),*)
            }
        )*
    };
}

forward! {
    malloc(size: usize) -> *mut c_void = ffi::malloc;
    calloc(count: usize, size: usize) -> *mut c_void = ffi::calloc;
    realloc(address: *mut c_void, size: usize) -> *mut c_void = ffi::realloc;
    free(address: *mut c_void) = ffi::free;

    aligned_alloc(align: usize, size: usize) -> *mut c_void = ffi::aligned_alloc;
    memalign(align: usize, size: usize) -> *mut c_void = ffi::memalign;
    valloc(size: usize) -> *mut c_void = ffi::valloc;
    pvalloc(size: usize) -> *mut c_void = ffi::pvalloc;
    malloc_usable_size(address: *mut c_void) -> usize = ffi::usable_size;
    reallocarray(address: *mut c_void, count: usize, size: usize) -> *mut c_void
        = ffi::reallocarray;
    cfree(address: *mut c_void) = ffi::free;

    __libc_malloc(size: usize) -> *mut c_void = ffi::malloc;
    __libc_calloc(count: usize, size: usize) -> *mut c_void = ffi::calloc;
    __libc_realloc(address: *mut c_void, size: usize) -> *mut c_void = ffi::realloc;
    __libc_free(address: *mut c_void) = ffi::free;
    __libc_cfree(address: *mut c_void) = ffi::free;
    __libc_memalign(align: usize, size: usize) -> *mut c_void = ffi::memalign;
    __libc_valloc(size: usize) -> *mut c_void = ffi::valloc;
    __libc_pvalloc(size: usize) -> *mut c_void = ffi::pvalloc;

    malloc_size(address: *mut c_void) -> usize = ffi::usable_size;
    malloc_good_size(size: usize) -> usize = ffi::good_size;
    reallocf(address: *mut c_void, size: usize) -> *mut c_void = ffi::reallocf;
    vfree(address: *mut c_void) = ffi::free;
}

/// `posix_memalign(3)`.
#[unsafe(no_mangle)]
unsafe extern "C" fn posix_memalign(slot: *mut *mut c_void, align: usize, size: usize) -> c_int {
    // SAFETY: the caller's, by the function's contract.
    unsafe { ffi::posix_memalign(slot, align, size) }
}

/// libc's alias of `posix_memalign`.
#[unsafe(no_mangle)]
unsafe extern "C" fn __posix_memalign(slot: *mut *mut c_void, align: usize, size: usize) -> c_int {
    // SAFETY: the caller's, by the function's contract.
    unsafe { ffi::posix_memalign(slot, align, size) }
}

/// C23's `free_sized`. A size that is not the block's is reported; glibc ignores it.
#[unsafe(no_mangle)]
unsafe extern "C" fn free_sized(address: *mut c_void, size: usize) {
    ffi::free_sized(address, size);
}

/// C23's `free_aligned_sized`. A size or an alignment that is not the block's is reported.
#[unsafe(no_mangle)]
unsafe extern "C" fn free_aligned_sized(address: *mut c_void, align: usize, size: usize) {
    ffi::free_aligned_sized(address, align, size);
}
