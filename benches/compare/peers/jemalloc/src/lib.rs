//! jemalloc as a preloadable shared object.
#![no_std]

unsafe extern "C" {
    // The crate builds this but declares no binding for it.
    fn _rjem_memalign(alignment: usize, size: usize) -> *mut c_void;
}

peer_family::export_malloc_family! {
    malloc: tikv_jemalloc_sys::malloc,
    free: tikv_jemalloc_sys::free,
    calloc: tikv_jemalloc_sys::calloc,
    realloc: tikv_jemalloc_sys::realloc,
    posix_memalign: tikv_jemalloc_sys::posix_memalign,
    aligned_alloc: tikv_jemalloc_sys::aligned_alloc,
    memalign: _rjem_memalign,
    malloc_usable_size: tikv_jemalloc_sys::malloc_usable_size,
}
