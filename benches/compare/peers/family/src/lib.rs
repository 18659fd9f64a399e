//! The malloc family, written once.
//!
//! A peer's crate offers prefixed functions (`mi_malloc`, `_rjem_malloc`, `sn_malloc`). To
//! measure the peer on programs that were never rebuilt, its shared object must export the plain
//! names. [`export_malloc_family`] writes those exports as forwards of one instruction each, a
//! direct jump: that is all a peer pays for being measured this way.
//!
//! The crate is `no_std`: no Rust runtime is linked into a peer's shared object, so nothing but
//! the peer itself runs inside `malloc`.
#![no_std]

use core::ffi::{c_int, c_void};

// Naming libc as a dependency makes the loader run libc's constructors before the peer's.
#[link(name = "c")]
unsafe extern "C" {
    fn abort() -> !;
    fn __errno_location() -> *mut c_int;
}

const ENOMEM: c_int = 12;

/// The size of the pages of the machines the comparison runs on (x86-64).
pub const PAGE_BYTES: usize = 4096;

/// Ends the process: the only way a panic can end inside an allocator.
pub fn stop() -> ! {
    // SAFETY: `abort` of libc takes no argument and never returns.
    unsafe { abort() }
}

/// Reports an overflow of `count * size` the way libc does: null and `ENOMEM`.
pub fn out_of_memory() -> *mut c_void {
    // SAFETY: `__errno_location` of libc returns the calling thread's own errno, always valid.
    unsafe { *__errno_location() = ENOMEM };
    core::ptr::null_mut()
}

/// Exports the malloc family of libc from a shared object, on top of one peer's functions.
///
/// `valloc`, `pvalloc` and `reallocarray` are built from the others, since not every peer has
/// them; no measured workload calls them.
#[macro_export]
macro_rules! export_malloc_family {
    (
        malloc: $malloc:path,
        free: $free:path,
        calloc: $calloc:path,
        realloc: $realloc:path,
        posix_memalign: $posix_memalign:path,
        aligned_alloc: $aligned_alloc:path,
        memalign: $memalign:path,
        malloc_usable_size: $malloc_usable_size:path,
    ) => {
        use core::ffi::{c_int, c_void};

        #[panic_handler]
        fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
            $crate::stop()
        }

        $crate::forward!(malloc(size: usize) -> *mut c_void => $malloc);
        $crate::forward!(free(ptr: *mut c_void) -> () => $free);
        $crate::forward!(calloc(count: usize, size: usize) -> *mut c_void => $calloc);
        $crate::forward!(realloc(ptr: *mut c_void, size: usize) -> *mut c_void => $realloc);
        $crate::forward!(posix_memalign(out: *mut *mut c_void, alignment: usize, size: usize)
            -> c_int => $posix_memalign);
        $crate::forward!(aligned_alloc(alignment: usize, size: usize)
            -> *mut c_void => $aligned_alloc);
        $crate::forward!(memalign(alignment: usize, size: usize) -> *mut c_void => $memalign);
        $crate::forward!(malloc_usable_size(ptr: *mut c_void) -> usize => $malloc_usable_size);

        /// See `valloc(3)`.
        ///
        /// # Safety
        /// As for the libc function of the same name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn valloc(size: usize) -> *mut c_void {
            // SAFETY: The page size is a power of two; any size is allowed.
            unsafe { $memalign($crate::PAGE_BYTES, size) }
        }

        /// See `pvalloc(3)`.
        ///
        /// # Safety
        /// As for the libc function of the same name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn pvalloc(size: usize) -> *mut c_void {
            match size.checked_next_multiple_of($crate::PAGE_BYTES) {
                // SAFETY: The page size is a power of two; any size is allowed.
                Some(rounded) => unsafe { $memalign($crate::PAGE_BYTES, rounded) },
                None => $crate::out_of_memory(),
            }
        }

        /// See `reallocarray(3)`.
        ///
        /// # Safety
        /// As for the libc function of the same name.
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn reallocarray(
            ptr: *mut c_void,
            count: usize,
            size: usize,
        ) -> *mut c_void {
            match count.checked_mul(size) {
                // SAFETY: The caller passes null or a live block of this allocator.
                Some(bytes) => unsafe { $realloc(ptr, bytes) },
                None => $crate::out_of_memory(),
            }
        }
    };
}

/// Exports one function of libc as a jump to a peer's function of the same shape.
///
/// Written in assembly because the compiler would jump through a pointer loaded from the global
/// offset table; the linker resolves this jump to the address itself.
#[macro_export]
macro_rules! forward {
    ($name:ident($($argument:ident: $type:ty),*) -> $result:ty => $target:path) => {
        #[doc = concat!("See `", stringify!($name), "(3)`.")]
        ///
        /// # Safety
        /// As for the libc function of the same name.
        #[unsafe(naked)]
        #[unsafe(no_mangle)]
        pub unsafe extern "C" fn $name($($argument: $type),*) -> $result {
            core::arch::naked_asm!("jmp {target}", target = sym $target)
        }
    };
}
