//! snmalloc as a preloadable shared object.
//!
//! snmalloc's objects name the C++ exception personality though nothing in them throws. Left to
//! the linker, that one name would load libstdc++ into every measured program and count as
//! snmalloc's memory; a private definition, which nothing ever calls, keeps it out.
#![no_std]

unsafe extern "C" {
    // The crate builds these with its `libc-api` feature but declares no binding for them.
    fn sn_posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize) -> c_int;
    fn sn_aligned_alloc(alignment: usize, size: usize) -> *mut c_void;
    fn sn_memalign(alignment: usize, size: usize) -> *mut c_void;
}

peer_family::export_malloc_family! {
    malloc: snmalloc_sys::sn_malloc,
    free: snmalloc_sys::sn_free,
    calloc: snmalloc_sys::sn_calloc,
    realloc: snmalloc_sys::sn_realloc,
    posix_memalign: sn_posix_memalign,
    aligned_alloc: sn_aligned_alloc,
    memalign: sn_memalign,
    malloc_usable_size: snmalloc_sys::sn_malloc_usable_size,
}

core::arch::global_asm!(
    ".globl __gxx_personality_v0",
    ".hidden __gxx_personality_v0",
    "__gxx_personality_v0: jmp {stop}",
    stop = sym peer_family::stop,
);
