//! Questions to the heap under glibc's names, answered truthfully.
//!
//! glibc's own versions would describe its unused heap. Fields that have no meaning here are zero.

use core::ffi::{c_char, c_int, c_void};
use engine::ffi;

/// glibc's `struct mallinfo2`, and with `int` for `usize` its `struct mallinfo`.
#[repr(C)]
pub(crate) struct MallInfo<T> {
    arena: T,
    ordblks: T,
    smblks: T,
    hblks: T,
    hblkhd: T,
    usmblks: T,
    fsmblks: T,
    uordblks: T,
    fordblks: T,
    keepcost: T,
}

/// `mallinfo2(3)`: `arena` and `fordblks` are slabs and their slack, `uordblks` what is in use in
/// them, `hblks` and `hblkhd` large blocks, `keepcost` free spans that `malloc_trim` would return.
#[unsafe(no_mangle)]
extern "C" fn mallinfo2() -> MallInfo<usize> {
    let summary = ffi::summary();
    MallInfo {
        arena: summary.used + summary.slack,
        ordblks: 1,
        smblks: 0,
        hblks: summary.large_blocks,
        hblkhd: summary.large,
        usmblks: 0,
        fsmblks: 0,
        uordblks: summary.used,
        fordblks: summary.slack,
        keepcost: summary.free,
    }
}

/// `mallinfo(3)`: as [`mallinfo2`], in `int`s that wrap as glibc's do.
#[unsafe(no_mangle)]
#[expect(clippy::cast_possible_truncation, reason = "the interface has 32 bits")]
#[expect(clippy::cast_possible_wrap, reason = "the interface is signed")]
extern "C" fn mallinfo() -> MallInfo<c_int> {
    let wide = mallinfo2();
    MallInfo {
        arena: wide.arena as c_int,
        ordblks: wide.ordblks as c_int,
        smblks: 0,
        hblks: wide.hblks as c_int,
        hblkhd: wide.hblkhd as c_int,
        usmblks: 0,
        fsmblks: 0,
        uordblks: wide.uordblks as c_int,
        fordblks: wide.fordblks as c_int,
        keepcost: wide.keepcost as c_int,
    }
}

/// libc's alias of `mallinfo`.
#[unsafe(no_mangle)]
extern "C" fn __libc_mallinfo() -> MallInfo<c_int> {
    mallinfo()
}

/// `malloc_trim(3)`: gives unused memory back to the system. The padding is not needed: spans are
/// cached by age, not by amount.
#[unsafe(no_mangle)]
extern "C" fn malloc_trim(_pad: usize) -> c_int {
    c_int::from(ffi::trim())
}

/// `mallopt(3)`: glibc's knobs have no counterpart; accepting them is what glibc does with unknown
/// ones, too.
#[unsafe(no_mangle)]
extern "C" fn mallopt(_parameter: c_int, _value: c_int) -> c_int {
    1
}

/// libc's alias of `mallopt`.
#[unsafe(no_mangle)]
extern "C" fn __libc_mallopt(parameter: c_int, value: c_int) -> c_int {
    mallopt(parameter, value)
}

/// `malloc_stats(3)`: the summary in glibc's words, on stderr. Not a cancellation point.
#[unsafe(no_mangle)]
extern "C" fn malloc_stats() {
    ffi::say(&ffi::summary().to_text());
}

/// `malloc_info(3)`: the summary as XML on `stream`. `EINVAL` for options other than zero.
///
/// # Safety
/// `stream` is an open stream.
#[unsafe(no_mangle)]
unsafe extern "C" fn malloc_info(options: c_int, stream: *mut libc::FILE) -> c_int {
    if options != 0 {
        return libc::EINVAL;
    }
    let xml = ffi::summary().to_xml();
    // SAFETY: the caller's; the buffer is `len` bytes long.
    let written = unsafe { libc::fwrite(xml.as_ptr().cast::<c_void>(), 1, xml.len(), stream) };
    if written == xml.len() { 0 } else { -1 }
}

/// `mcheck(3)` and its kin: this heap always checks what they would.
#[unsafe(no_mangle)]
extern "C" fn mcheck(_on_error: *const c_void) -> c_int {
    0
}

/// See [`mcheck`].
#[unsafe(no_mangle)]
extern "C" fn mcheck_pedantic(_on_error: *const c_void) -> c_int {
    0
}

/// See [`mcheck`].
#[unsafe(no_mangle)]
extern "C" fn mcheck_check_all() {}

/// `mprobe(3)`: `MCHECK_OK` for a block in use, `MCHECK_FREE` for one that is not.
#[unsafe(no_mangle)]
extern "C" fn mprobe(address: *mut c_void) -> c_int {
    c_int::from(ffi::usable_size(address) == 0)
}

/// `mtrace(3)`: superseded by `track=full`, which needs no trace file.
#[unsafe(no_mangle)]
extern "C" fn mtrace() {}

/// See [`mtrace`].
#[unsafe(no_mangle)]
extern "C" fn muntrace() {}

/// The version of the library, as a C string.
#[unsafe(no_mangle)]
extern "C" fn heapsight_version() -> *const c_char {
    concat!(env!("CARGO_PKG_VERSION"), "\0").as_ptr().cast()
}
