//! What the rebuilt workloads have in common: dhat's profiler, with whole call stacks.
//!
//! dhat-rs cannot be preloaded. It is an allocator that a Rust program names, and a value that
//! writes the profile when it is dropped.

use std::path::PathBuf;

/// The allocator to name in a program.
pub use dhat::Alloc;

/// Runs a program under the profiler, which writes where `DHAT_OUT` says.
pub fn profile(program: fn()) {
    let path = std::env::var_os("DHAT_OUT").map_or_else(|| "dhat.json".into(), PathBuf::from);
    // Without more words it cuts stacks to ten calls; all others here record them whole.
    let _profiler = dhat::Profiler::builder().file_name(path).trim_backtraces(None).build();
    program();
}
