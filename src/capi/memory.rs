//! libc's memory functions on this engine: glibc's corner cases, `errno` included.
//!
//! The library face exports them under the prefix `heapsight_`; `preload/` under their own names.
//! Failure is null and `ENOMEM`; requests above `PTRDIFF_MAX` fail; `free` keeps `errno`.
//! All are thread-safe, none is async-signal-safe.

use crate::harden::family::Family;
use crate::heap::alloc::Request;
use crate::heap::class::ALIGN_MIN;
use crate::heap::observe::Seen;
use crate::os::memory::PAGE;
use crate::runtime::caller::with_caller;
use crate::runtime::misuse::Call;
use crate::runtime::safety::size::{self, Named};
use crate::runtime::{entry, foreign, inspect};
use crate::unwind::Registers;
use core::ffi::{c_int, c_void};
use core::ptr;

/// Sets `errno`.
#[cold]
fn fail(code: c_int) -> *mut c_void {
    // SAFETY: libc's own thread-local, always there.
    unsafe { *libc::__errno_location() = code };
    ptr::null_mut()
}

#[inline(always)]
fn checked(block: *mut u8) -> *mut c_void {
    if block.is_null() { fail(libc::ENOMEM) } else { block.cast() }
}

/// `malloc(3)`; zero bytes give a unique block.
#[inline(always)]
pub fn malloc(size: usize) -> *mut c_void {
    let block = entry::pop(size);
    match block.is_null() {
        false => block.cast(),
        true if entry::is_tracked() => malloc_tracked(size),
        true => malloc_cold(size),
    }
}

with_caller! {
    fn malloc_cold(size: usize) -> *mut c_void = malloc_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn malloc_body(size: usize, sp: usize, fp: usize) -> *mut c_void {
    match entry::allocate_untracked(size, ALIGN_MIN) {
        Some(block) => block.as_ptr().cast(),
        None => malloc_any(size, sp, fp),
    }
}

#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn malloc_any(size: usize, sp: usize, fp: usize) -> *mut c_void {
    checked(entry::allocate_any(Request::plain(size, Registers { sp, fp }).of(Family::C)))
}

with_caller! {
    fn malloc_tracked(size: usize) -> *mut c_void = short or tracked_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn tracked_body(size: usize, sp: usize, fp: usize, seen: Seen) -> *mut c_void {
    checked(entry::allocate_after(size, Registers { sp, fp }, seen, Family::C))
}

/// `calloc(3)`; overflow of the product is `ENOMEM`.
#[inline(always)]
pub fn calloc(count: usize, size: usize) -> *mut c_void {
    calloc_cold(count, size)
}

with_caller! {
    fn calloc_cold(count: usize, size: usize) -> *mut c_void = calloc_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn calloc_body(count: usize, size: usize, sp: usize, fp: usize) -> *mut c_void {
    let Some(size) = count.checked_mul(size) else { return fail(libc::ENOMEM) };
    let caller = Registers { sp, fp };
    match entry::allocate_zeroed_soon(size, ALIGN_MIN, caller) {
        Some(block) => block.as_ptr().cast(),
        None => checked(entry::allocate_any(Request::plain(size, caller).zeroed())),
    }
}

/// `free(3)`; null is allowed, anything else that is no block in use is reported.
#[inline(always)]
pub fn free(address: *mut c_void) {
    entry::free(address.cast(), Family::C);
}

/// `free_sized` of C23: as [`free`]; a size that is not the block's is a mistake, and reported.
#[inline(always)]
pub fn free_sized(address: *mut c_void, size: usize) {
    entry::free_sized(address.cast(), Family::C, size, ALIGN_MIN);
}

/// `free_aligned_sized` of C23: the same of a block of [`aligned_alloc`].
#[inline(always)]
pub fn free_aligned_sized(address: *mut c_void, align: usize, size: usize) {
    entry::free_sized(address.cast(), Family::C, size, align.max(ALIGN_MIN));
}

/// `realloc(3)`; as in glibc, `realloc(p, 0)` frees `p` and returns null.
#[inline(always)]
pub fn realloc(address: *mut c_void, size: usize) -> *mut c_void {
    realloc_cold(address, size)
}

with_caller! {
    fn realloc_cold(address: *mut c_void, size: usize) -> *mut c_void = realloc_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn realloc_body(address: *mut c_void, size: usize, sp: usize, fp: usize) -> *mut c_void {
    let request = Request::plain(size, Registers { sp, fp });
    if address.is_null() {
        return checked(entry::allocate_any(request));
    }
    if size == 0 {
        free(address);
        return ptr::null_mut();
    }
    match entry::reallocate(address.cast(), request) {
        Ok(block) => checked(block),
        Err(misuse) => foreign::realloc(misuse, size).cast(),
    }
}

/// `reallocarray(3)`; overflow of the product is `ENOMEM`, and the block stays.
pub fn reallocarray(address: *mut c_void, count: usize, size: usize) -> *mut c_void {
    match count.checked_mul(size) {
        Some(total) => realloc(address, total),
        None => fail(libc::ENOMEM),
    }
}

/// BSD's `reallocf`: frees the block when it cannot be resized.
pub fn reallocf(address: *mut c_void, size: usize) -> *mut c_void {
    let block = realloc(address, size);
    if block.is_null() && size > 0 {
        free(address);
    }
    block
}

/// `aligned_alloc(3)` of C17: any power of two; anything else is `EINVAL`.
pub fn aligned_alloc(align: usize, size: usize) -> *mut c_void {
    if align.is_power_of_two() { aligned(align, size) } else { fail(libc::EINVAL) }
}

/// `memalign(3)`; as in glibc, the alignment is rounded up to a power of two.
pub fn memalign(align: usize, size: usize) -> *mut c_void {
    match align.max(ALIGN_MIN).checked_next_power_of_two() {
        Some(align) => aligned(align, size),
        None => fail(libc::EINVAL),
    }
}

/// `posix_memalign(3)`: the result is the error code, and `*slot` is written on success alone.
///
/// # Safety
/// `slot` is writable.
pub unsafe fn posix_memalign(slot: *mut *mut c_void, align: usize, size: usize) -> c_int {
    if !align.is_power_of_two() || !align.is_multiple_of(size_of::<*mut c_void>()) {
        return libc::EINVAL;
    }
    let block = allocate_aligned(align, size);
    if block.is_null() {
        // The result is the code; glibc sets `errno`, too.
        fail(libc::ENOMEM);
        return libc::ENOMEM;
    }
    // SAFETY: the caller's.
    unsafe { slot.write(block.cast()) };
    0
}

/// `valloc(3)`: page-aligned.
pub fn valloc(size: usize) -> *mut c_void {
    aligned(page_size(), size)
}

/// `pvalloc(3)`: page-aligned, in whole pages.
pub fn pvalloc(size: usize) -> *mut c_void {
    match size.max(1).checked_next_multiple_of(page_size()) {
        Some(size) => aligned(page_size(), size),
        None => fail(libc::ENOMEM),
    }
}

fn page_size() -> usize {
    // SAFETY: sysconf of a constant; it reads what the kernel told the process at its start.
    usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(PAGE)
}

fn aligned(align: usize, size: usize) -> *mut c_void {
    checked(allocate_aligned(align, size))
}

fn allocate_aligned(align: usize, size: usize) -> *mut u8 {
    // Above this, the sum of size and alignment cannot be an address range.
    if align > isize::MAX as usize / 2 + 1 {
        return ptr::null_mut();
    }
    entry::allocate_layout(size, align.max(ALIGN_MIN))
}

/// `malloc_usable_size(3)`: bytes that may be used, at least those asked for, and exactly those for
/// a tracked block; zero for null.
#[inline]
pub fn usable_size(address: *mut c_void) -> usize {
    entry::usable_size_fast(address.cast()).unwrap_or_else(|| usable_size_closely(address))
}

#[cold]
fn usable_size_closely(address: *mut c_void) -> usize {
    if address.is_null() {
        return 0;
    }
    if entry::is_ours(address.cast()) {
        inspect::requested_size(address.cast())
            .unwrap_or_else(|| entry::usable_size(address.cast()))
    } else {
        foreign::usable_size(address.cast())
    }
}

/// How many bytes a request of `size` gets.
pub fn good_size(size: usize) -> usize {
    use crate::heap::class::ClassId;
    ClassId::for_size(size)
        .map_or_else(|| size.checked_next_multiple_of(PAGE).unwrap_or(size), ClassId::block_size)
}

/// Frees a block whose size the caller knows; a wrong size is a mistake, and reported. Null, and a
/// size of zero for "unknown", are allowed.
#[inline(always)]
pub fn free_with_size(address: *mut c_void, size: usize) {
    if size == 0 { free(address) } else { free_sized(address, size) }
}

/// Resizes a block whose size the caller knows; a wrong size is a mistake, and reported.
pub fn realloc_with_size(address: *mut c_void, old_size: usize, new_size: usize) -> *mut c_void {
    if !address.is_null() && old_size != 0 {
        let named = Named { size: old_size, align: ALIGN_MIN };
        size::check(Call::Realloc, address.cast(), named, Family::C);
    }
    realloc(address, new_size)
}
