//! Blocks that run-time libraries keep on purpose: not leaks of the program.
//!
//! libc never frees the buffer of `stdout`, nor libstdc++ its emergency pool for exceptions. They
//! are told by who allocated them: to the reader they are one line, reachable as they are. A rule
//! names a function only if no block that it allocates is ever the caller's to free, so no rule
//! hides a leak of the program: `strdup`, `getline` and `fopen` are in none. What no rule
//! knows is the program's.

mod tables;

use super::fold;
use super::model::Frame;
use tables::{FILLERS, INTERNALS, KEEPERS, RUST_HELPERS, RUST_KEEPERS};

/// Whether a run-time library keeps the blocks of a stack. A stack that was cut short may have had
/// the program in it.
pub(super) fn is_kept(frames: &[Frame], is_truncated: bool) -> bool {
    let is_of_libraries = frames.iter().all(fold::is_of_runtime_library);
    match frames.first() {
        None => false,
        Some(_) if is_of_libraries => !is_truncated,
        Some(caller) => is_of_loader(caller) || is_kept_by_libc(frames) || is_kept_by_rust(frames),
    }
}

/// The loader allocates for itself alone, and for what `dlclose` frees.
fn is_of_loader(frame: &Frame) -> bool {
    let name = frame.module.as_deref().map_or("", fold::file_name);
    name.starts_with("ld-linux") || name.starts_with("ld-2")
}

/// Up to the first frame of the program, every function called is a library's.
fn is_kept_by_libc(frames: &[Frame]) -> bool {
    let libraries = frames.iter().take_while(|frame| fold::is_of_runtime_library(frame));
    libraries.filter(|frame| !frame.inlined).enumerate().any(|(depth, frame)| {
        let Some(name) = frame.function.as_deref().map(plain) else { return false };
        INTERNALS.iter().any(|internal| name.starts_with(internal))
            || KEEPERS.contains(&name)
            || FILLERS.iter().any(|(filler, max)| *filler == name && depth >= *max)
    })
}

/// The name of a function of libc as the tables have it: with debug information a function goes by
/// an internal alias.
fn plain(function: &str) -> &str {
    let name = function.split('(').next().unwrap_or(function);
    let name = name.strip_prefix("__GI_").unwrap_or(name).trim_start_matches('_');
    name.strip_suffix("_r").unwrap_or(name)
}

/// The keeper may be inlined, and lies above the way to the heap. A frame without a name may be the
/// program's.
fn is_kept_by_rust(frames: &[Frame]) -> bool {
    let is_among = |frame, names: &[&str]| {
        fold::std_path(frame).is_some_and(|path| names.iter().any(|name| path.starts_with(name)))
    };
    let caller =
        frames.iter().find(|frame| !fold::is_allocation(frame) && !is_among(frame, RUST_HELPERS));
    caller.is_some_and(|frame| is_among(frame, RUST_KEEPERS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::string::ToString;
    use std::vec::Vec;

    const LIBC: &str = "/lib/x86_64-linux-gnu/libc.so.6";

    /// A stack of libc's functions, called by `main` of a program.
    fn is_runtimes(functions: &[&str]) -> bool {
        let mut frames: Vec<_> = functions.iter().map(|name| frame(name, LIBC)).collect();
        frames.push(frame("main", "/home/libc-2/a"));
        is_kept(&frames, false)
    }

    fn frame(function: &str, module: &str) -> Frame {
        let function = Some(function.to_string()).filter(|name| name != "?");
        Frame { function, module: Some(module.to_string()), ..Frame::default() }
    }

    #[test]
    fn what_libc_keeps_is_no_leak_of_the_program() {
        for stack in [
            &["_IO_file_doallocate", "puts"][..],
            &["__GI__IO_file_doallocate"],
            &["?", "_IO_wdoallocbuf", "?", "wprintf"],
            &["tsearch", "__add_to_environ"],
            &["strdup", "?", "?", "localtime_r"],
            &["?", "?", "__nss_passwd_lookup2", "getpwnam_r", "getpwnam"],
            &["getpwnam"],
            &["?", "?", "?", "getaddrinfo"],
            &["strndup", "?", "__newlocale"],
            &["___pthread_setspecific"],
            &["?", "std::ios_base::sync_with_stdio(bool)"],
        ] {
            assert!(is_runtimes(stack), "{stack:?}");
        }
    }

    #[test]
    fn what_libc_hands_out_is_a_leak_of_the_program() {
        for stack in [
            &["strdup"][..],
            &["__GI___strdup"],
            &["?"],
            &["?", "?", "?", "?"],
            &["getdelim", "getline"],
            &["fopen"],
            &["?", "__asprintf"],
            &["getaddrinfo"],
            &["?", "?", "getaddrinfo"],
            &["newlocale"],
            &["__gconv_open", "iconv_open"],
            &["tsearch"],
            &["operator new(unsigned long)"],
            &[],
        ] {
            assert!(!is_runtimes(stack), "{stack:?}");
        }
        assert!(!is_kept(&[], false));
    }

    #[test]
    fn a_callback_is_the_programs_whoever_calls_it() {
        let called_back = [
            frame("strdup", LIBC),
            frame("compare", "/a"),
            frame("setlocale", LIBC),
            frame("main", "/a"),
        ];
        assert!(!is_kept(&called_back, false));
    }

    #[test]
    fn what_runs_before_the_program_is_the_run_times_own() {
        let pool = [
            frame("_GLOBAL__sub_I_eh_alloc.cc", "/usr/lib/libstdc++.so.6"),
            frame("call_init", "/lib64/ld-linux-x86-64.so.2"),
        ];
        assert!(is_kept(&pool, false));
        assert!(!is_kept(&pool, true));
    }

    #[test]
    fn what_the_rust_run_time_keeps_is_no_leak_of_the_program() {
        let is_rusts = |names: &[&str]| {
            let frames: Vec<_> = names.iter().map(|name| frame(name, "/a")).collect();
            is_kept(&frames, false)
        };
        let arc = "<alloc::sync::Arc<std::thread::thread::Inner, std::alloc::System>>::new_in";
        let thread = "<std::thread::thread::Thread>::new";
        let reader = "<std::io::buffered::bufreader::BufReader<R>>::with_capacity";
        let vector = "<alloc::vec::Vec<u8>>::with_capacity";
        let context = "<std::backtrace_rs::symbolize::gimli::Context>::new";
        let keepers: [&[&str]; 3] = [
            &[arc, thread, "std::thread::current::init_current", "shop::main"],
            &[vector, reader, "std::io::stdio::stdin", "shop::main"],
            &[vector, "<gimli::read::Abbreviations>::insert", context, "shop::main"],
        ];
        for stack in keepers {
            assert!(is_rusts(stack), "{stack:?}");
        }
        let leaks: [&[&str]; 4] = [
            &[arc, thread, "std::thread::spawnhook::run", "shop::main"],
            &[vector, reader, "shop::read", "std::io::stdio::stdin"],
            &[vector, "<gimli::read::Abbreviations>::insert", "shop::main"],
            &[vector, "?", "std::io::stdio::stdin"],
        ];
        for stack in leaks {
            assert!(!is_rusts(stack), "{stack:?}");
        }
    }
}
