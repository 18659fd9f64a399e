//! What the program itself says to LeakSanitizer, by defining functions for it.
//!
//! LeakSanitizer's run-time refers to them weakly, and so the linker makes them visible. To a
//! library that is preloaded they may not be: then the program's symbol table is asked.

use crate::report::{Modules, address_of_function};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use std::borrow::ToOwned;
use std::string::String;

type Text = unsafe extern "C" fn() -> *const c_char;
type Answer = unsafe extern "C" fn() -> c_int;

/// What `__lsan_default_options` says; empty without it.
pub(super) fn default_options() -> String {
    text(c"__lsan_default_options")
}

/// What `__lsan_default_suppressions` says.
pub(super) fn default_suppressions() -> String {
    text(c"__lsan_default_suppressions")
}

/// What `__lsan_is_turned_off` says.
pub(super) fn is_turned_off() -> bool {
    // SAFETY: a function that the program gives this name has this type.
    function(c"__lsan_is_turned_off")
        .is_some_and(|function| unsafe { mem::transmute::<*mut c_void, Answer>(function)() != 0 })
}

fn text(name: &CStr) -> String {
    let Some(function) = function(name) else { return String::new() };
    // SAFETY: a function that the program gives this name has this type.
    let text = unsafe { mem::transmute::<*mut c_void, Text>(function)() };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: it returns a C string.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned().to_owned()
}

fn function(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: a C string.
    let visible = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    if !visible.is_null() {
        return Some(visible);
    }
    let address = address_of_function(&Modules::of_this_process(), name.to_str().ok()?)?;
    Some(core::ptr::with_exposed_provenance_mut(address as usize))
}
