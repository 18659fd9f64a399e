//! What the routines' tests need of libc, on a machine without a system: pages between 8 and 10
//! MiB, which `boot.s` has left out of the tables.
#![no_std]
#![allow(non_upper_case_globals, reason = "libc's names")]

use core::ffi::{c_int, c_void};
use core::sync::atomic::{AtomicUsize, Ordering::Relaxed};

pub const MAP_PRIVATE: c_int = 0;
pub const MAP_ANONYMOUS: c_int = 0;
pub const PROT_NONE: c_int = 0;
pub const PROT_READ: c_int = 1;
pub const PROT_WRITE: c_int = 2;
pub const MAP_FAILED: *mut c_void = usize::MAX as *mut c_void;

const START: usize = 8 << 20;
const LEN: usize = 2 << 20;
const PAGE: usize = 4096;
/// Where `boot.s` has put the table of these pages.
const TABLE: usize = 0x4000;
const PRESENT_AND_WRITABLE: usize = 3;

static NEXT: AtomicUsize = AtomicUsize::new(START);
static LIVE: AtomicUsize = AtomicUsize::new(0);

/// Addresses, no pages yet.
///
/// # Safety
/// None.
pub unsafe fn mmap(
    _: *mut c_void,
    len: usize,
    _: c_int,
    _: c_int,
    _: c_int,
    _: i64,
) -> *mut c_void {
    let at = NEXT.fetch_add(len, Relaxed);
    LIVE.fetch_add(1, Relaxed);
    assert!(at + len <= START + LEN, "room for maps");
    at as *mut c_void
}

/// Pages.
///
/// # Safety
/// `mmap` gave the addresses.
pub unsafe fn mprotect(start: *mut c_void, len: usize, _: c_int) -> c_int {
    set(start as usize, len, PRESENT_AND_WRITABLE);
    0
}

/// No pages. The addresses are given again when none are in use.
///
/// # Safety
/// `mmap` gave the addresses, and nothing uses them.
pub unsafe fn munmap(start: *mut c_void, len: usize) -> c_int {
    set(start as usize, len, 0);
    if LIVE.fetch_sub(1, Relaxed) == 1 {
        NEXT.store(START, Relaxed);
    }
    0
}

fn set(start: usize, len: usize, bits: usize) {
    for page in (start..start + len).step_by(PAGE) {
        let entry = (TABLE + (page - START) / PAGE * 8) as *mut usize;
        // SAFETY: the table lies there, and one processor runs; what it knew of the page it
        // forgets.
        unsafe {
            entry.write_volatile(if bits == 0 { 0 } else { page | bits });
            core::arch::asm!("invlpg [{}]", in(reg) page);
        }
    }
}
