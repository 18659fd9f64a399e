//! The dead part of a thread's stack: what lies below its stack pointer.
//!
//! Functions that have returned leave addresses of blocks there. Others are called later whose
//! frames lie over them and have gaps, and from there on the addresses look like pointers in use to
//! a conservative search. So what handles many addresses clears the stack below itself, as the
//! Boehm collector does (`GC_clear_stack`).

use core::ptr;

/// How deep an allocator's cold paths go: little, because they run on alternate stacks and those of
/// coroutines, too. Without optimisation frames are several times as large.
pub(crate) const COLD_PATH: usize = if cfg!(debug_assertions) { 8 << 10 } else { 1 << 10 };

/// How deep those go that are taken often, and so are cleared after as far as frames lie that stay.
pub(crate) const SHALLOW: usize = if cfg!(debug_assertions) { 4 << 10 } else { 512 };

/// What a thread that ends may clear: a quarter of the smallest stack that it may have, of which
/// thread-local storage takes a part.
pub(crate) const THREAD: usize = 4 << 10;

/// How deep a search for leaks goes.
pub(crate) const SEARCH: usize = 64 << 10;

/// Overwrites so many bytes of the stack below the caller's frame. The stack has to have them.
#[inline(always)]
pub(crate) fn clear<const LEN: usize>() {
    clear_after::<LEN>(ptr::null_mut());
}

/// The same, and returns `block`: as the last thing that a function does, it needs no place on the
/// stack for it, and none for the registers of who called.
#[inline(always)]
pub(crate) fn clear_after<const LEN: usize>(block: *mut u8) -> *mut u8 {
    const { assert!(LEN.is_multiple_of(TURN) && LEN > 0) }
    zero_below(block, LEN)
}

/// What is cleared at a turn: as much as is mostly cleared.
const TURN: usize = 512;

/// Zeros `len` bytes, a multiple of [`TURN`], below its return address, from the highest on; a
/// handler that interrupts it writes below them, or what is zeroed later.
#[cfg(target_arch = "x86_64")]
#[unsafe(naked)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn zero_below(block: *mut u8, len: usize) -> *mut u8 {
    core::arch::naked_asm!(
        ".cfi_startproc",
        "mov rax, rdi",
        "mov rdx, rsp",
        "pxor xmm0, xmm0",
        "2:",
        ".set heapsight_below, 0",
        ".rept {stores}",
        ".set heapsight_below, heapsight_below - 16",
        "movups [rdx + heapsight_below], xmm0",
        ".endr",
        "sub rdx, {turn}",
        "sub rsi, {turn}",
        "ja 2b",
        "ret",
        ".cfi_endproc",
        stores = const TURN / 16,
        turn = const TURN,
    )
}

#[cfg(not(target_arch = "x86_64"))]
#[inline(never)]
fn zero_below(block: *mut u8, len: usize) -> *mut u8 {
    core::hint::black_box(&mut [0u8; 32]);
    if len > 32 { zero_below(block, len - 32) } else { block }
}
