//! What the program itself says to LeakSanitizer, by defining functions for it.
//!
//! LeakSanitizer's run-time refers to them weakly, and so the linker makes them visible. To a
//! library that is preloaded they need not be: the symbol tables are asked.

use crate::report::{Modules, address_of_function};
use core::ffi::{CStr, c_char, c_int, c_void};
use core::mem;
use std::string::String;

type Text = unsafe extern "C" fn() -> *const c_char;
type Answer = unsafe extern "C" fn() -> c_int;

/// What `__lsan_default_options` says; empty without it.
pub(super) fn default_options(modules: &Modules) -> String {
    text(modules, "__lsan_default_options")
}

/// What `__lsan_default_suppressions` says.
pub(super) fn default_suppressions(modules: &Modules) -> String {
    text(modules, "__lsan_default_suppressions")
}

/// What `__lsan_is_turned_off` says.
pub(super) fn is_turned_off(modules: &Modules) -> bool {
    // SAFETY: a function that the program gives this name has this type.
    function(modules, "__lsan_is_turned_off")
        .is_some_and(|function| unsafe { mem::transmute::<*mut c_void, Answer>(function)() != 0 })
}

fn text(modules: &Modules, name: &str) -> String {
    let Some(function) = function(modules, name) else { return String::new() };
    // SAFETY: a function that the program gives this name has this type.
    let text = unsafe { mem::transmute::<*mut c_void, Text>(function)() };
    if text.is_null() {
        return String::new();
    }
    // SAFETY: it returns a C string.
    unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned()
}

/// Not by `dlsym`: a name that it does not find is a message for the program's next `dlerror`.
fn function(modules: &Modules, name: &str) -> Option<*mut c_void> {
    let address = address_of_function(modules, name)?;
    Some(core::ptr::with_exposed_provenance_mut(address as usize))
}
