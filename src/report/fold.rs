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

/// Sources of Rust's own libraries, which a path remapped by the compiler leads to. With reduced
/// debug information they are what tells, because names come without their modules.
const RUST_SOURCES: &[&str] = &[
    "/library/alloc/src/",
    "/library/core/src/",
    "/library/std/src/",
    "/library/test/src/",
    "/hashbrown-",
];

/// Modules through which an allocation passes on its way to the unwinder.
const OWN_SOURCES: &[&str] = &["global.rs", "heap/", "runtime/", "track/", "unwind/", "capi/"];

/// Whether the frame is Heapsight's own, in a program that has it built in.
pub(super) fn is_own(frame: &Frame) -> bool {
    name_starts(frame, &["heapsight::", "<heapsight::", "backtrace::"])
        || is_from(frame, &["/backtrace-0."])
        || frame.file.as_deref().is_some_and(is_own_source)
}

fn is_own_source(file: &str) -> bool {
    let root = file!().trim_end_matches("report/fold.rs");
    file.rsplit_once(root)
        .is_some_and(|(_, inside)| OWN_SOURCES.iter().any(|module| inside.starts_with(module)))
}

/// Whether the frame is on the way from the program to the heap, not the program's own.
pub(super) fn is_plumbing(frame: &Frame) -> bool {
    name_starts(frame, PLUMBING) || is_from(frame, RUST_SOURCES)
}

/// Whether the frame is on the way from the kernel to the program.
pub(super) fn is_root(frame: &Frame) -> bool {
    name_starts(frame, ROOTS) || is_from(frame, RUST_SOURCES)
}

fn is_from(frame: &Frame, parts: &[&str]) -> bool {
    frame.file.as_deref().is_some_and(|file| parts.iter().any(|part| file.contains(part)))
}

fn name_starts(frame: &Frame, prefixes: &[&str]) -> bool {
    let Some(function) = frame.function.as_deref() else { return false };
    prefixes.iter().any(|prefix| function.starts_with(prefix))
}
