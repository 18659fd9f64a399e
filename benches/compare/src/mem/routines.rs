//! The routines that are compared, glibc's and Heapsight's, each behind a pointer that the compiler
//! cannot see through, as a program calls them through its linkage table.

use std::ffi::{c_int, c_void};
use std::hint::black_box;

/// `memcpy` and `memmove`.
pub type Move = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void;
/// `memset`.
pub type Set = unsafe extern "C" fn(*mut c_void, c_int, usize) -> *mut c_void;
/// `memcmp` and `bcmp`.
pub type Compare = unsafe extern "C" fn(*const c_void, *const c_void, usize) -> c_int;
/// `memchr` and `memrchr`.
pub type Find = unsafe extern "C" fn(*const c_void, c_int, usize) -> *mut c_void;
/// `strlen`.
pub type Length = unsafe extern "C" fn(*const std::ffi::c_char) -> usize;

unsafe extern "C" {
    /// C's `bcmp`, which the `libc` crate leaves out.
    pub fn bcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int;
    /// Fills with wide characters, of four bytes.
    fn wmemset(to: *mut i32, value: i32, count: usize) -> *mut i32;

    fn heapsight_memcpy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void;
    fn heapsight_stream_copy(to: *mut c_void, from: *const c_void, len: usize) -> *mut c_void;
    fn heapsight_memset(to: *mut c_void, value: c_int, len: usize) -> *mut c_void;
    fn heapsight_memset64(to: *mut c_void, value: u64, count: usize) -> *mut c_void;
    fn heapsight_memcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int;
    fn heapsight_bcmp(a: *const c_void, b: *const c_void, len: usize) -> c_int;
    fn heapsight_memchr(from: *const c_void, value: c_int, len: usize) -> *mut c_void;
    fn heapsight_memrchr(from: *const c_void, value: c_int, len: usize) -> *mut c_void;
    fn heapsight_strlen(text: *const std::ffi::c_char) -> usize;
    fn heapsight_memother(from: *const c_void, value: c_int, len: usize) -> usize;
}

/// glibc's and ours.
pub fn copies() -> [Move; 2] {
    black_box([libc::memcpy as Move, heapsight_memcpy])
}

/// glibc has no such thing: its `memcpy` is what a program would call.
pub fn streams() -> [Move; 2] {
    black_box([libc::memcpy as Move, heapsight_stream_copy])
}

/// glibc's and ours.
pub fn sets() -> [Set; 2] {
    black_box([libc::memset as Set, heapsight_memset])
}

/// glibc's and ours.
pub fn compares() -> [Compare; 2] {
    black_box([libc::memcmp as Compare, heapsight_memcmp])
}

/// glibc's and ours.
pub fn equals() -> [Compare; 2] {
    black_box([bcmp as Compare, heapsight_bcmp])
}

/// glibc's and ours.
pub fn finds() -> [Find; 2] {
    black_box([libc::memchr as Find, heapsight_memchr])
}

/// glibc's and ours.
pub fn finds_last() -> [Find; 2] {
    black_box([libc::memrchr as Find, heapsight_memrchr])
}

/// glibc's and ours.
pub fn lengths() -> [Length; 2] {
    black_box([libc::strlen as Length, heapsight_strlen])
}

/// A pattern over `len` bytes: `wmemset`'s of four bytes, and ours of eight.
pub fn pattern(ours: bool, to: *mut u8, len: usize) {
    // SAFETY: the caller's memory, and a multiple of eight bytes.
    unsafe {
        match ours {
            false => drop(black_box(wmemset(to.cast(), 0x0102_0304, len / 4))),
            true => drop(black_box(heapsight_memset64(to.cast(), 0x0102_0304_0506_0708, len / 8))),
        }
    }
}

/// Whether memory is still 0xaa: word by word, and ours.
pub fn verify(ours: bool, bytes: &[u8]) -> usize {
    if ours {
        // SAFETY: a slice.
        return unsafe { heapsight_memother(bytes.as_ptr().cast(), 0xaa, bytes.len()) };
    }
    let words = bytes.chunks_exact(8);
    words.take_while(|word| black_box(**word == [0xaa; 8])).count() * 8
}
