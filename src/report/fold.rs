//! Whose a frame is: which frames a reader cares for, and which are the way through Heapsight and
//! the run-time libraries to them.
//!
//! Names tell, and in Rust the sources too: reduced debug information has the names of inlined
//! functions without their modules, `with_capacity`.

use super::model::Frame;
use core::borrow::Borrow;
use std::borrow::Cow;
use std::format;

/// Names under which allocation reaches the heap in Rust and C++. Rust's are those of functions, or
/// of the type in `<type>::function`.
const ALLOCATION: &[&str] = &[
    "alloc::",
    "core::",
    "__rust_",
    "__rustc",
    "__rdl_",
    "hashbrown::",
    "std::alloc::",
    "std::collections::hash::",
    "std::sys::alloc",
    "operator new",
    "__gnu_cxx::new_allocator",
    "__gnu_cxx::__alloc",
    "std::__new_allocator",
    "std::allocator",
    "std::_Vector_base",
    "std::__cxx11::basic_string",
];

const ALLOCATION_SOURCES: &[&str] =
    &["/library/alloc/src/", "/library/core/src/", "/library/std/src/alloc.rs", "/hashbrown-"];

/// The rest of both languages' libraries.
const LIBRARIES: &[&str] = &["std::", "__gnu_cxx::"];
const LIBRARY_SOURCES: &[&str] = &["/library/std/src/", "/library/test/src/"];

/// libc, its loader and helpers, and the C++ run-time: by file name.
const RUNTIME_LIBRARIES: &[&str] = &[
    "libc.so",
    "libc-2",
    "ld-linux",
    "ld-2",
    "libpthread",
    "libdl",
    "librt.so",
    "libm.so",
    "libresolv",
    "libnss_",
    "libstdc++.so",
    "libgcc_s.so",
];

/// What lies under `main`, and under the first function of a thread.
const ROOTS: &[&str] = &[
    "_start",
    "__libc_start",
    "core::ops::function::",
    "std::rt::lang_start",
    "std::sys::backtrace::__rust_begin_short_backtrace",
    "std::sys::thread",
    "std::sys::pal::unix::thread",
    "std::panicking::",
    "std::panic::",
    "std::thread::",
    "std::__invoke",
    "execute_native_thread_routine",
    "start_thread",
    "clone",
    "__clone",
];

const ROOT_SOURCES: &[&str] = &["/library/core/src/", "/library/std/src/", "/library/test/src/"];

/// The Rust crate itself, its routines that interpose, and what it walks stacks with.
const OWN: &[&str] = &["heapsight::", "heapsight_mem::", "backtrace::"];
const OWN_SOURCES: &[&str] = &["global.rs", "heap/", "runtime/", "track/", "unwind/", "capi/"];
const WALKER_SOURCES: &[&str] = &["/backtrace-0."];

/// The functions of the C library that return blocks, where it is linked into the program.
const OWN_C: &[&str] = &[
    "malloc",
    "calloc",
    "realloc",
    "reallocarray",
    "aligned_alloc",
    "memalign",
    "posix_memalign",
    "valloc",
    "pvalloc",
    "c_realloc",
    "heapsight_malloc",
    "heapsight_calloc",
    "heapsight_realloc",
    "heapsight_aligned_alloc",
];

/// Whether the frame is Heapsight's own, in a program that has it built in.
pub(super) fn is_own(frame: &Frame) -> bool {
    let is_own_c = subject(frame).is_some_and(|name| OWN_C.contains(&name));
    name_starts(frame, OWN)
        || is_from(frame, WALKER_SOURCES)
        || frame.file.as_deref().is_some_and(is_own_source)
        || (is_own_c && !is_of_runtime_library(frame))
}

fn is_own_source(file: &str) -> bool {
    let inside = file.strip_prefix(concat!(env!("CARGO_MANIFEST_DIR"), "/src/"));
    inside.is_some_and(|path| OWN_SOURCES.iter().any(|module| path.starts_with(module)))
}

/// How many of the innermost frames are Heapsight's own: the last of them lies above nothing but
/// the way to the heap, some of which is compiled into Heapsight's functions.
pub fn own_len<F: Borrow<Frame>>(frames: &[F]) -> usize {
    let is_way = |frame: &Frame| is_own(frame) || is_allocation(frame);
    let way = frames.iter().take_while(|frame| is_way((*frame).borrow())).count();
    frames[..way].iter().rposition(|frame| is_own(frame.borrow())).map_or(0, |last| last + 1)
}

/// Whether the frame is on the way from any caller to the heap.
pub(super) fn is_allocation(frame: &Frame) -> bool {
    // What a crate implements of the traits of `alloc` is `alloc`'s blanket implementation.
    let is_specialised = subject(frame)
        .and_then(|name| name.split_once(" as "))
        .is_some_and(|(_, name)| name.starts_with("alloc::"));
    is_specialised || name_starts(frame, ALLOCATION) || is_from(frame, ALLOCATION_SOURCES)
}

/// Whether the frame is a library's, on the way from the program to the heap.
pub fn is_plumbing(frame: &Frame) -> bool {
    is_allocation(frame) || name_starts(frame, LIBRARIES) || is_from(frame, LIBRARY_SOURCES)
}

/// Whether the code belongs to the C or C++ run-time.
pub fn is_of_runtime_library(frame: &Frame) -> bool {
    frame.module.as_deref().is_some_and(is_runtime_library)
}

/// Whether the path is one of the C or C++ run-time.
pub(super) fn is_runtime_library(path: &str) -> bool {
    RUNTIME_LIBRARIES.iter().any(|library| file_name(path).starts_with(library))
}

/// The last part of a path.
pub(super) fn file_name(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// How many of the outermost frames are the way from the kernel to the program: to its `main` or to
/// the first function of a thread.
pub fn roots_len<F: Borrow<Frame>>(frames: &[F]) -> usize {
    let is_root_at = |index: &usize| {
        let frame = frames[*index].borrow();
        let Some(name) = subject(frame) else {
            // In a stripped libc, the callers of `main` and of a thread's function.
            return is_of_runtime_library(frame);
        };
        // In Rust, C's `main` is what calls the standard library.
        let is_called_in_main =
            |inner| name_starts(inner, &["std::"]) || is_from(inner, ROOT_SOURCES);
        let inner = index.checked_sub(1).map(|inner| frames[inner].borrow());
        let is_c_main = name == "main" && inner.is_some_and(is_called_in_main);
        is_c_main || name_starts(frame, ROOTS) || is_from(frame, ROOT_SOURCES)
    };
    (0..frames.len()).rev().take_while(is_root_at).count()
}

/// The function's name from its first path on: without Rust's brackets around a type, and without
/// the return type that C++ puts before the name of a template.
pub(super) fn subject(frame: &Frame) -> Option<&str> {
    let name = frame.function.as_deref()?;
    let name = name.strip_prefix("void ").unwrap_or(name);
    let name = name.trim_start_matches(['<', '&', '(', '[']);
    let name = name.strip_prefix("mut ").unwrap_or(name);
    Some(name.strip_prefix("dyn ").unwrap_or(name))
}

/// The function's path in Rust's standard library, from its source if its name has no modules.
pub(super) fn std_path(frame: &Frame) -> Option<Cow<'_, str>> {
    let name = subject(frame)?;
    if name.contains("::") {
        return Some(Cow::Borrowed(name));
    }
    let file = frame.file.as_deref().unwrap_or_default();
    Some(match file.split_once("/library/std/src/") {
        Some((_, source)) => {
            let module = source.trim_end_matches(".rs").trim_end_matches("/mod").replace('/', "::");
            Cow::Owned(format!("std::{module}::{name}"))
        }
        None => Cow::Borrowed(name),
    })
}

fn name_starts(frame: &Frame, prefixes: &[&str]) -> bool {
    subject(frame).is_some_and(|name| prefixes.iter().any(|prefix| name.starts_with(prefix)))
}

fn is_from(frame: &Frame, sources: &[&str]) -> bool {
    frame.file.as_deref().is_some_and(|file| sources.iter().any(|source| file.contains(source)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn frame(function: &str) -> Frame {
        Frame { function: Some(function.into()), ..Frame::default() }
    }

    #[test]
    fn the_way_to_the_heap_is_told_from_the_program() {
        for name in [
            "alloc::raw_vec::RawVecInner<A>::try_allocate_in",
            "<alloc::vec::Vec<T,A> as core::iter::traits::collect::Extend<T>>::extend",
            "<u8 as alloc::vec::spec_from_elem::SpecFromElem>::from_elem",
            "<std::alloc::System as core::alloc::global::GlobalAlloc>::alloc",
            "operator new(unsigned long)",
            "void std::__cxx11::basic_string<char>::_M_construct<char*>(char*, char*)",
        ] {
            assert!(is_allocation(&frame(name)) && is_plumbing(&frame(name)), "{name}");
        }
        assert!(is_plumbing(&frame("std::fs::read")) && !is_allocation(&frame("std::fs::read")));
        for name in [
            "<shop::Cart as core::clone::Clone>::clone",
            "shop::core::add",
            "main",
            "allocate",
            "void* pool::make<char>(unsigned long)",
        ] {
            assert!(!is_plumbing(&frame(name)), "{name}");
        }
    }

    #[test]
    fn where_names_have_no_modules_the_sources_tell() {
        let from = |file: &str, name| Frame { file: Some(file.into()), ..frame(name) };
        let stdin = from("/rustc/1/library/std/src/io/stdio.rs", "stdin");
        assert_eq!(std_path(&stdin).as_deref(), Some("std::io::stdio::stdin"));
        let barrier = from("/rustc/1/library/std/src/sync/mod.rs", "new");
        assert_eq!(std_path(&barrier).as_deref(), Some("std::sync::new"));
        assert_eq!(std_path(&from("/shop/stdio.rs", "stdin")).as_deref(), Some("stdin"));
        assert!(is_allocation(&from("/rustc/1/library/alloc/src/boxed.rs", "new")));
        assert!(is_own(&from(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/heap/alloc.rs"),
            "allocate"
        )));
        assert!(!is_own(&from("/shop/src/heap/alloc.rs", "allocate")));
        let roots = [
            frame("main"),
            from("/rustc/1/library/std/src/rt.rs", "lang_start_internal"),
            frame("main"),
            frame("_start"),
        ];
        assert_eq!(roots_len(&roots), 3);
    }

    #[test]
    fn what_lies_under_main_is_told_from_the_program() {
        let rust = [
            "shop::main",
            "core::ops::function::FnOnce::call_once",
            "std::sys::backtrace::__rust_begin_short_backtrace",
            "<&dyn core::ops::function::Fn<()> as core::ops::function::FnOnce<()>>::call_once",
            "std::rt::lang_start_internal",
            "main",
            "__libc_start_call_main",
            "_start",
        ];
        let mut frames: Vec<_> = rust.into_iter().map(frame).collect();
        assert_eq!(roots_len(&frames), 7);
        frames[6] = Frame { module: Some("/lib/libc.so.6".into()), ..Frame::default() };
        assert_eq!(roots_len(&frames), 7);
        assert_eq!(roots_len(&["add", "main", "__libc_start_main", "_start"].map(frame)), 2);
        assert_eq!(roots_len::<Frame>(&[]), 0);
    }

    #[test]
    fn frames_of_our_own_go_though_they_are_inlined() {
        let names = [
            "core::cell::Cell<T>::get",
            "<heapsight::global::Heapsight as core::alloc::global::GlobalAlloc>::alloc",
            "__rustc::__rust_alloc",
            "alloc::alloc::alloc",
            "shop::add",
            "heapsight::check_for_leaks",
        ];
        let frames: Vec<_> = names.into_iter().map(frame).collect();
        assert_eq!(own_len(&frames), 2);
        assert_eq!(own_len(&frames[2..]), 0);
        assert_eq!(own_len(&[frame("heapsight_malloc"), frame("main")]), 1);
        assert_eq!(own_len(&[frame("heapsight_demo"), frame("main")]), 0);
    }
}
