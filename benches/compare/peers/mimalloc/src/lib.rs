//! mimalloc as a preloadable shared object.
#![no_std]

unsafe extern "C" {
    // The crate builds these but declares no binding for them.
    fn mi_memalign(alignment: usize, size: usize) -> *mut c_void;
    fn mi_malloc_usable_size(ptr: *const c_void) -> usize;
}

peer_family::export_malloc_family! {
    malloc: libmimalloc_sys::mi_malloc,
    free: libmimalloc_sys::mi_free,
    calloc: libmimalloc_sys::mi_calloc,
    realloc: libmimalloc_sys::mi_realloc,
    posix_memalign: libmimalloc_sys::mi_posix_memalign,
    aligned_alloc: libmimalloc_sys::mi_aligned_alloc,
    memalign: mi_memalign,
    malloc_usable_size: mi_malloc_usable_size,
}

/// The version of the C library that the crate carries, as `major * 10000 + minor * 100 + patch`.
/// The crate's own number does not tell, and two very different lines are in use.
#[unsafe(no_mangle)]
pub extern "C" fn compare_peer_version() -> c_int {
    // SAFETY: `mi_version` returns a constant.
    unsafe { libmimalloc_sys::mi_version() }
}
