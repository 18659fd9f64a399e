//! The dead part of a thread's stack: what lies below its stack pointer.
//!
//! Functions that have returned leave addresses of blocks there. Others are called later whose
//! frames lie over them and have gaps, and from there on the addresses look like pointers in use to
//! a conservative search. So what handles many addresses clears the stack below itself, as the
//! Boehm collector does (`GC_clear_stack`).

use core::hint::black_box;

/// How deep an allocator's cold paths go: little, because they run on alternate stacks and those of
/// coroutines, too. Without optimisation frames are several times as large.
pub(crate) const COLD_PATH: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

/// What a thread that ends may clear: a quarter of the smallest stack that it may have, of which
/// thread-local storage takes a part.
pub(crate) const THREAD: usize = 4 << 10;

/// How deep a search for leaks goes.
pub(crate) const SEARCH: usize = 64 << 10;

/// Overwrites so many bytes of the stack below the caller's frame. The stack has to have them.
#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = "heapsight.text"))]
pub(crate) fn clear<const LEN: usize>() {
    black_box(&mut [0u8; LEN]);
}
