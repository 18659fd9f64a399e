//! Blocks that run-time libraries keep on purpose: not leaks of the program.
//!
//! libc never frees the buffer of `stdout`, nor libstdc++ its emergency pool for exceptions. They
//! are told by who allocated them, not by whether they are still reachable: the rules name
//! the library's own functions, never one whose contract hands the block to the caller (`strdup`,
//! `getline`, `fopen`), so that a user's leak is never hidden.

use super::model::{Frame, LeakClass};

/// libc functions that allocate for libc itself, for the life of the process.
const LIBC_KEEPERS: &[&str] = &[
    "_IO_file_doallocate",
    "_IO_wfile_doallocate",
    "__cxa_atexit",
    "__cxa_thread_atexit_impl",
    "__new_exitfn",
    "__on_exit",
    "__register_atfork",
    "__wcsmbs_load_conv",
    "__gconv_lookup_cache",
    "__tls_get_addr",
    "setlocale",
    "bindtextdomain",
    "textdomain",
    "setenv",
    "putenv",
    "tzset",
    "pthread_setspecific",
    "__pthread_setspecific",
    "pthread_create",
    "dlopen",
    "dlsym",
    "dlerror",
    "_dlerror_run",
    "_dl_init",
];

/// Rust's own: the handle of the main thread, standard streams.
const RUST_KEEPERS: &[&str] = &[
    "std::rt::init",
    "std::io::stdio::",
    "std::thread::main_thread",
    "std::thread::id::",
    "std::thread::current::",
    "std::sys::thread_local::",
    "std::sys::pal::unix::thread::min_stack",
    "std::sys::pal::unix::stack_overflow",
];

/// Path parts of the libraries that are never the program.
const RUNTIMES: &[&str] =
    &["/libc.so", "/libc-2", "/ld-linux", "/ld-2", "/libstdc++.so", "/libgcc_s.so", "/libpthread"];

/// Why the blocks of a stack are still there.
pub(super) fn classify(frames: &[Frame]) -> LeakClass {
    let Some(caller) = frames.first() else { return LeakClass::Unfreed };
    let is_kept = is_in(caller, &["/ld-linux", "/ld-2"])
        || is_libc_keeper_above(frames)
        || is_rust_keeper(frames)
        || frames.iter().all(|frame| is_in(frame, RUNTIMES));
    if is_kept { LeakClass::Runtime } else { LeakClass::Unfreed }
}

/// A keeper may allocate through libc's helpers: what counts is that libc was called to keep.
fn is_libc_keeper_above(frames: &[Frame]) -> bool {
    frames
        .iter()
        .take_while(|frame| is_in(frame, RUNTIMES))
        .any(|frame| is_named(frame, LIBC_KEEPERS))
}

/// In Rust the keeper may be inlined, and lies above the allocation's plumbing.
fn is_rust_keeper(frames: &[Frame]) -> bool {
    let Some(first) = frames.iter().find(|frame| !super::fold::is_plumbing(frame)) else {
        return false;
    };
    let Some(name) = first.function.as_deref() else { return false };
    RUST_KEEPERS.iter().any(|keeper| name.starts_with(keeper))
}

fn is_in(frame: &Frame, parts: &[&str]) -> bool {
    frame.module.as_deref().is_some_and(|module| parts.iter().any(|part| module.contains(part)))
}

/// With libc's debug information a function goes by its internal alias.
fn is_named(frame: &Frame, names: &[&str]) -> bool {
    let Some(function) = frame.function.as_deref() else { return false };
    names.contains(&function.strip_prefix("__GI_").unwrap_or(function))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;

    fn frame(function: &str, module: &str) -> Frame {
        Frame {
            function: Some(function.to_string()),
            module: Some(module.to_string()),
            ..Frame::default()
        }
    }

    #[test]
    fn the_buffer_of_stdout_is_kept_and_a_copied_string_is_leaked() {
        let libc = "/lib/x86_64-linux-gnu/libc.so.6";
        let buffer = [frame("_IO_file_doallocate", libc), frame("puts", libc), frame("main", "/a")];
        assert_eq!(classify(&buffer), LeakClass::Runtime);
        let internal = [frame("__GI__IO_file_doallocate", libc), frame("main", "/a")];
        assert_eq!(classify(&internal), LeakClass::Runtime);
        let copy = [frame("strdup", libc), frame("main", "/a")];
        assert_eq!(classify(&copy), LeakClass::Unfreed);
        assert_eq!(classify(&[frame("main", "/a")]), LeakClass::Unfreed);
        assert_eq!(classify(&[]), LeakClass::Unfreed);
    }

    #[test]
    fn what_runs_before_the_program_is_the_run_times_own() {
        let pool = [
            frame("_GLOBAL__sub_I_eh_alloc.cc", "/usr/lib/libstdc++.so.6"),
            frame("call_init", "/lib64/ld-linux-x86-64.so.2"),
        ];
        assert_eq!(classify(&pool), LeakClass::Runtime);
    }
}
