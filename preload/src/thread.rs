//! `pthread_create`, so that a new thread's argument never goes out of sight.
//!
//! libc writes the argument into the control block of a thread that does not run yet and that the
//! kernel does not list yet. To a search for leaks in that moment nobody would hold it. So it stays
//! on the stack of the creating thread until libc's function has returned: then the new thread is
//! listed, and its control block has the argument until its first function has taken it.
//!
//! Nothing else changes: the thread begins in the program's own function, under its own address.

use core::arch::asm;
use core::ffi::{c_int, c_void};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering};

/// The next `pthread_create`.
static NEXT: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

type Start = unsafe extern "C" fn(*mut c_void) -> *mut c_void;
type Create = unsafe extern "C" fn(
    *mut libc::pthread_t,
    *const libc::pthread_attr_t,
    Option<Start>,
    *mut c_void,
) -> c_int;

/// Looks libc's function up. Not when it is first needed: the loader's lock may then be held by a
/// thread that waits, in a constructor of a library, for the very thread that is to be made.
pub(crate) fn resolve_next() {
    // SAFETY: a C string.
    let next = unsafe { libc::dlsym(libc::RTLD_NEXT, c"pthread_create".as_ptr()) };
    NEXT.store(next, Ordering::Release);
}

/// `pthread_create(3)`.
///
/// # Safety
/// As `pthread_create`'s.
#[unsafe(no_mangle)]
unsafe extern "C" fn pthread_create(
    thread: *mut libc::pthread_t,
    attributes: *const libc::pthread_attr_t,
    start: Option<Start>,
    argument: *mut c_void,
) -> c_int {
    if NEXT.load(Ordering::Acquire).is_null() {
        // A thread of a library whose constructor runs before ours.
        resolve_next();
    }
    let next = NEXT.load(Ordering::Acquire);
    if next.is_null() {
        return libc::EAGAIN;
    }
    // SAFETY: libc's function has this type.
    let next = unsafe { mem::transmute::<*mut c_void, Create>(next) };
    let held = argument;
    keep_in_memory(&held);
    // SAFETY: the caller's.
    let result = unsafe { next(thread, attributes, start, argument) };
    keep_in_memory(&held);
    result
}

/// What is passed to this twice is in memory in between, as the compiler must suppose it is read.
#[inline(always)]
fn keep_in_memory(word: &*mut c_void) {
    // SAFETY: does nothing.
    unsafe { asm!("/* {0} */", in(reg) word, options(nostack, preserves_flags, readonly)) };
}
