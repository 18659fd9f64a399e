//! Copies and fills that are told of before they are made, where Heapsight's allocator asks for it.
//!
//! It does so by [`heapsight_mem_watch`], which it looks up by name. From then on these functions
//! serve as if they were the platform's: what was chosen before makes way, so that nothing is asked
//! where nobody watches. Only `memcpy`, which `memmove` is otherwise the same as, has a way of its
//! own around the quickest routines ([`copy_apart`]).

use crate::ROUTINES;
use crate::routines::dispatch::{Dispatch, Tier};
use crate::routines::platform::{Functions, Platform};
use core::ffi::{c_char, c_int, c_void};
use core::mem;
use core::sync::atomic::{AtomicPtr, Ordering};

/// What is about to happen: `len` bytes are read from `from`, unless that is null, and written to
/// `to`, unless that is. `name` is the function's, a C string, and what overlaps does matter if
/// `apart`.
pub(crate) type Hook = unsafe extern "C" fn(
    name: *const c_char,
    to: *mut c_void,
    from: *const c_void,
    len: usize,
    apart: bool,
);

/// A [`Hook`], or null.
static HOOK: AtomicPtr<c_void> = AtomicPtr::new(core::ptr::null_mut());

/// Who serves while the hook is told.
static BEHIND: Dispatch = Dispatch::new(Platform::unknown());

/// Has `hook` be told of all copies and fills from now on, for good.
///
/// # Safety
/// The hook may be called at any time, on any thread, in signal handlers, too.
#[unsafe(no_mangle)]
pub(crate) unsafe extern "C" fn heapsight_mem_watch(hook: Hook) {
    HOOK.store(hook as *mut c_void, Ordering::Release);
    ROUTINES.limits().set_platform(&Functions {
        copy: watched_copy,
        set: watched_set,
        compare: watched_compare,
        find: watched_find,
        find_last: watched_find_last,
        length: watched_length,
    });
    let _is_there = ROUTINES.choose(Some(Tier::Platform));
}

/// Whether somebody is told.
pub(crate) fn is_on() -> bool {
    hook().is_some()
}

#[inline(always)]
fn hook() -> Option<Hook> {
    let hook = HOOK.load(Ordering::Acquire);
    if hook.is_null() {
        return None;
    }
    // SAFETY: `heapsight_mem_watch` stored it.
    Some(unsafe { mem::transmute::<*mut c_void, Hook>(hook) })
}

/// Tells of a function of libc's, if somebody wants to hear.
///
/// # Safety
/// `name` is a C string.
#[inline(always)]
pub(crate) unsafe fn tell(
    name: &'static [u8],
    to: *mut c_void,
    from: *const c_void,
    len: usize,
    apart: bool,
) {
    if let Some(hook) = hook() {
        // SAFETY: whoever asked for it promised that it may be called.
        unsafe { hook(name.as_ptr().cast(), to, from, len, apart) };
    }
}

/// Copies, without telling.
///
/// # Safety
/// As `memmove`.
#[inline(always)]
pub(crate) unsafe fn copy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { BEHIND.copy(to.cast(), from.cast(), len).cast() }
}

/// Fills with zeros, without telling.
///
/// # Safety
/// As `memset`.
#[inline(always)]
pub(crate) unsafe fn clear(to: *mut c_void, len: usize) {
    // SAFETY: the caller's.
    let _same = unsafe { BEHIND.set(to.cast(), 0, len) };
}

/// Where the zero of a string is, `most` bytes from its start if there is none before.
///
/// # Safety
/// As `strnlen`.
#[inline(always)]
pub(crate) unsafe fn length(text: *const c_char, most: usize) -> usize {
    // SAFETY: the caller's.
    let end = unsafe { BEHIND.find(text.cast(), 0, most) };
    if end.is_null() { most } else { end as usize - text as usize }
}

/// `memcpy`, where what serves is not what begins with the function itself.
///
/// # Safety
/// As `memcpy`.
pub(crate) unsafe extern "C" fn copy_apart(
    to: *mut u8,
    from: *const u8,
    len: usize,
    routines: &Dispatch,
) -> *mut u8 {
    if is_on() {
        // SAFETY: a C string; the caller's.
        unsafe {
            tell(b"memcpy\0", to.cast(), from.cast(), len, true);
            return BEHIND.copy(to, from, len);
        }
    }
    // SAFETY: the caller's.
    unsafe { routines.copy(to, from, len) }
}

unsafe extern "C" fn watched_copy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void {
    // SAFETY: a C string; the caller's.
    unsafe {
        tell(b"memmove\0", to, from, len, false);
        copy(to, from, len)
    }
}

unsafe extern "C" fn watched_set(to: *mut c_void, value: c_int, len: usize) -> *mut c_void {
    // SAFETY: a C string; the caller's.
    unsafe {
        tell(b"memset\0", to, core::ptr::null(), len, false);
        BEHIND.set(to.cast(), value, len).cast()
    }
}

unsafe extern "C" fn watched_compare(a: *const c_void, b: *const c_void, len: usize) -> c_int {
    // SAFETY: the caller's.
    unsafe { BEHIND.compare(a.cast(), b.cast(), len) }
}

unsafe extern "C" fn watched_find(from: *const c_void, value: c_int, len: usize) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { BEHIND.find(from.cast(), value, len).cast_mut().cast() }
}

unsafe extern "C" fn watched_find_last(
    from: *const c_void,
    value: c_int,
    len: usize,
) -> *mut c_void {
    // SAFETY: the caller's.
    unsafe { BEHIND.find_last(from.cast(), value, len).cast_mut().cast() }
}

unsafe extern "C" fn watched_length(text: *const c_char) -> usize {
    // SAFETY: the caller's.
    unsafe { BEHIND.length(text.cast()) }
}
