//! The constructor, and the libc calls that an allocator has to see.
//!
//! The library is linked with `-z initfirst`: our constructor runs before those of the program's
//! own libraries, and our fork handlers are innermost.

use core::ffi::{c_char, c_int, c_void};
use core::ptr;
use engine::ffi;

/// Runs [`start`] before the program's own constructors.
#[used]
#[unsafe(link_section = ".init_array")]
static CONSTRUCTOR: unsafe extern "C" fn(c_int, *const *const c_char, ffi::Environment) = start;

/// The constructor; glibc passes it what it passes `main`.
unsafe extern "C" fn start(
    _count: c_int,
    _arguments: *const *const c_char,
    environment: ffi::Environment,
) {
    if replaces_malloc() {
        // SAFETY: the loader's.
        unsafe { ffi::start(environment) };
        crate::cxx::resolve_next();
    } else {
        // SAFETY: the loader's.
        unsafe { ffi::start_passive(environment) };
    }
}

/// Whether `malloc` means ours. A program that brings its own beats a preloaded one, and so does a
/// sanitizer's run-time, which must not be mixed with another allocator either.
fn replaces_malloc() -> bool {
    let lookup = |name: &core::ffi::CStr| {
        // SAFETY: the name is a C string.
        unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) }
    };
    let found = lookup(c"malloc");
    let ours = crate::malloc::malloc as *const () as *mut c_void;
    let sanitizers = [c"__asan_init", c"__tsan_init", c"__msan_init", c"__lsan_init"];
    // A static program has nothing to look up in: then there is no other malloc, either.
    (found.is_null() || ptr::eq(found, ours))
        && sanitizers.into_iter().all(|name| lookup(name).is_null())
}

type Dlopen = unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void;

/// `dlopen(3)` without `RTLD_DEEPBIND`: a library that prefers its own scope would take libc's
/// `malloc` and give its blocks to our `free`.
///
/// # Safety
/// As `dlopen`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn dlopen(path: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: the name is a C string.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"dlopen".as_ptr()) };
    if next.is_null() {
        return ptr::null_mut();
    }
    // SAFETY: libc's `dlopen` has this type.
    let next = unsafe { core::mem::transmute::<*mut c_void, Dlopen>(next) };
    // SAFETY: the caller's.
    unsafe { next(path, flags & !libc::RTLD_DEEPBIND) }
}
