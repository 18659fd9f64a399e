//! LeakSanitizer's interface, `sanitizer/lsan_interface.h`: programs that are annotated for it link
//! against this library as they are.
//!
//! The functions that a program may define itself, `__lsan_default_options`,
//! `__lsan_default_suppressions` and `__lsan_is_turned_off`, are called when leaks are looked for.

#![expect(unreachable_pub, reason = "as the other lists of names")]

use core::ffi::{c_int, c_void};
use core::ptr;
use engine::ffi::{self, lsan};

/// What this thread allocates from now on is no leak, until [`__lsan_enable`]. Calls nest.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_disable() {
    lsan::disable();
}

/// Takes one [`__lsan_disable`] back.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_enable() {
    lsan::enable();
}

/// The block that starts at `block`, and whatever it leads to, is no leak.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_ignore_object(block: *const c_void) {
    lsan::ignore_object(block);
}

/// Pointers in the region count as those in global variables do.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_register_root_region(start: *const c_void, len: usize) {
    if !ffi::register_root_region(start, len) {
        ffi::say("heapsight: no memory left to remember a root region: its blocks look lost\n");
    }
}

/// Takes one [`__lsan_register_root_region`] back.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_unregister_root_region(start: *const c_void, len: usize) {
    if !ffi::unregister_root_region(start, len) {
        ffi::say("heapsight: __lsan_unregister_root_region() of what is not registered\n");
    }
}

/// Looks for leaks now instead of at exit, and ends the process if there are any.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_do_leak_check() {
    lsan::do_leak_check();
}

/// Looks for leaks and reports them; 1 if there are any. Can be called any number of times.
#[unsafe(no_mangle)]
pub extern "C" fn __lsan_do_recoverable_leak_check() -> c_int {
    c_int::from(lsan::do_recoverable_leak_check())
}

/// `__lsan::GetCurrentThread()`, of LeakSanitizer's inside: what it knows of the calling thread.
/// Here it knows nothing of any: null, as there for a thread that it has not seen begin.
#[unsafe(no_mangle)]
pub extern "C" fn _ZN6__lsan16GetCurrentThreadEv() -> *mut c_void {
    ptr::null_mut()
}
