//! The constructor, and the libc calls that an allocator has to see.
//!
//! The library is linked with `-z initfirst`: our constructor runs before those of the program's
//! own libraries, and our fork handlers are innermost.

use core::ffi::{CStr, c_char, c_int, c_void};
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
    crate::thread::resolve_next();
    if replaces_malloc() {
        // Before anything is observed: a lookup that fails leaves its message in libc's hands.
        crate::cxx::resolve_next();
        if crate::cxx::is_replaced() {
            ffi::hide_families();
        }
        // SAFETY: the loader's.
        unsafe { ffi::start(environment) };
    } else {
        // SAFETY: the loader's.
        unsafe { ffi::start_passive(environment) };
    }
}

/// Whether `malloc` means ours. A program that brings its own beats a preloaded one, and so does a
/// sanitizer's run-time, which must not be mixed with another allocator either.
///
/// libc is asked, not the symbol table: `dlsym` may answer with a stub in the executable.
fn replaces_malloc() -> bool {
    // SAFETY: a C string; the copy is ours to free.
    let probe = unsafe { libc::strdup(c"probe".as_ptr()) }.cast::<c_void>();
    let is_ours = ffi::is_ours(probe);
    if is_ours {
        ffi::free(probe);
    } else if let Some(free) = lookup(c"free") {
        // SAFETY: `free` of the allocator that made the copy has this type.
        unsafe {
            core::mem::transmute::<*mut c_void, unsafe extern "C" fn(*mut c_void)>(free)(probe)
        };
    }
    let sanitizers = [c"__asan_init", c"__tsan_init", c"__msan_init", c"__lsan_init"];
    is_ours && sanitizers.into_iter().all(|name| lookup(name).is_none())
}

fn lookup(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// `sigaction(2)`: the handlers of faults that the program sees and sets are its own, while ours is
/// in place.
///
/// # Safety
/// As `sigaction`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    // SAFETY: the caller's.
    unsafe { ffi::sigaction(signal, new, old) }
}

/// `signal(2)`, as glibc has it: the handler stays, and system calls go on.
///
/// # Safety
/// As `signal`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn signal(number: c_int, handler: libc::sighandler_t) -> libc::sighandler_t {
    // SAFETY: all-zero is an action with an empty mask.
    let (mut new, mut old): (libc::sigaction, libc::sigaction) = unsafe { core::mem::zeroed() };
    new.sa_sigaction = handler;
    new.sa_flags = libc::SA_RESTART;
    // SAFETY: the mask is ours; a signal that is none is refused by both.
    let result = unsafe {
        libc::sigaddset(&raw mut new.sa_mask, number);
        ffi::sigaction(number, &raw const new, &raw mut old)
    };
    if result == 0 { old.sa_sigaction } else { libc::SIG_ERR }
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

/// Unloads code: what is remembered of it must be forgotten before other code takes its place.
macro_rules! unloading {
    ($($(#[$doc:meta])* $name:ident($argument:ident) -> $result:ty;)*) => {
        $(
            $(#[$doc])*
            ///
            /// # Safety
            /// As that of libc's.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn $name($argument: *mut c_void) -> $result {
                const NAME: &CStr = match CStr::from_bytes_with_nul(
                    concat!(stringify!($name), "\0").as_bytes(),
                ) {
                    Ok(name) => name,
                    Err(_) => unreachable!(),
                };
                // SAFETY: the name is a C string.
                let next = unsafe { libc::dlsym(libc::RTLD_NEXT, NAME.as_ptr()) };
                if next.is_null() {
                    return Default::default();
                }
                // SAFETY: libc's function of that name has this type.
                let next = unsafe {
                    core::mem::transmute::<
                        *mut c_void,
                        unsafe extern "C" fn(*mut c_void) -> $result,
                    >(next)
                };
                ffi::code_unloading();
                // SAFETY: the caller's.
                let result = unsafe { next($argument) };
                ffi::code_unloading();
                result
            }
        )*
    };
}

unloading! {
    /// `dlclose(3)`.
    dlclose(library) -> c_int;
    /// The end of one library, which also those run that libc unloads for itself; of all with null.
    __cxa_finalize(library) -> ();
}

/// `setrlimit(2)`: a limit on the address space must not count addresses that we hold in reserve.
///
/// # Safety
/// As `setrlimit`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn setrlimit(resource: c_int, limit: *const libc::rlimit) -> c_int {
    // SAFETY: the caller's.
    unsafe { prlimit(0, resource, limit, ptr::null_mut()) }
}

/// glibc's other name of [`setrlimit`].
///
/// # Safety
/// As `setrlimit`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn setrlimit64(resource: c_int, limit: *const libc::rlimit) -> c_int {
    // SAFETY: the caller's.
    unsafe { prlimit(0, resource, limit, ptr::null_mut()) }
}

/// `prlimit(2)`; see [`setrlimit`].
///
/// # Safety
/// As `prlimit`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn prlimit(
    pid: libc::pid_t,
    resource: c_int,
    new: *const libc::rlimit,
    old: *mut libc::rlimit,
) -> c_int {
    // SAFETY: the caller's.
    if let Some(limit) = unsafe { new.as_ref() }
        && resource == libc::RLIMIT_AS as c_int
        && limit.rlim_cur != libc::RLIM_INFINITY
    {
        ffi::give_up_headroom(usize::try_from(limit.rlim_cur).unwrap_or(usize::MAX));
    }
    // SAFETY: the caller's.
    let result = unsafe { libc::syscall(libc::SYS_prlimit64, pid, resource, new, old) };
    if result == 0 { 0 } else { -1 }
}

/// glibc's other name of [`prlimit`].
///
/// # Safety
/// As `prlimit`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn prlimit64(
    pid: libc::pid_t,
    resource: c_int,
    new: *const libc::rlimit,
    old: *mut libc::rlimit,
) -> c_int {
    // SAFETY: the caller's.
    unsafe { prlimit(pid, resource, new, old) }
}
