//! Which frames a reader cares for: the program's, not the way through a run-time library to it.

use super::model::Frame;

/// Names under which allocation reaches the heap in Rust and C++, and how a program reaches `main`.
const PLUMBING: &[&str] = &[
    "alloc::alloc::",
    "alloc::boxed::",
    "alloc::raw_vec::",
    "alloc::rc::",
    "alloc::sync::",
    "alloc::slice::",
    "alloc::str::",
    "alloc::string::",
    "alloc::vec::",
    "<alloc::",
    "__rust_",
    "__rustc",
    "__rdl_",
    "core::ops::function::",
    "core::iter::",
    "core::alloc::",
    "<core::",
    "<T as alloc::",
    "hashbrown::",
    "std::alloc::",
    "std::collections::",
    "std::sys::alloc",
    "operator new",
    "__gnu_cxx::new_allocator",
    "__gnu_cxx::__alloc",
    "std::__new_allocator",
    "std::allocator",
    "std::_Vector_base",
    "std::__cxx11::basic_string",
];

/// What lies under `main`, and under the first function of a thread.
const ROOTS: &[&str] = &[
    "_start",
    "__libc_start",
    "std::rt::lang_start",
    "std::sys::backtrace::__rust_begin_short_backtrace",
    "std::sys::thread",
    "std::panicking::",
    "std::panic::",
    "std::thread::",
    "start_thread",
    "clone",
    "__clone",
];

/// Whether the frame is Heapsight's own, in a program that has it built in.
pub(super) fn is_own(frame: &Frame) -> bool {
    name_starts(frame, &["heapsight::", "<heapsight::", "backtrace::", "__rustc::__rust_alloc"])
}

/// Whether the frame is on the way from the program to the heap, not the program's own.
pub(super) fn is_plumbing(frame: &Frame) -> bool {
    name_starts(frame, PLUMBING)
}

/// Whether the frame is on the way from the kernel to the program.
pub(super) fn is_root(frame: &Frame) -> bool {
    name_starts(frame, ROOTS)
}

fn name_starts(frame: &Frame, prefixes: &[&str]) -> bool {
    let Some(function) = frame.function.as_deref() else { return false };
    prefixes.iter().any(|prefix| function.starts_with(prefix))
}
