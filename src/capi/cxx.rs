//! C++'s allocation functions on this engine, as far as they are the engine's: running out of
//! memory is null, and the rest of `operator new`'s duties its caller's.
//!
//! `ARRAY` tells `operator new[]` and `operator delete[]` from those of single objects: a block
//! goes back by the family it came from. All are thread-safe, none is async-signal-safe.

use crate::harden::family::Family;
use crate::heap::alloc::Request;
use crate::heap::class::ALIGN_MIN;
use crate::heap::observe::Seen;
use crate::runtime::caller::with_caller;
use crate::runtime::entry;
use crate::unwind::Registers;
use core::ffi::c_void;

const fn family<const ARRAY: bool>() -> Family {
    if ARRAY { Family::NewArray } else { Family::New }
}

/// `operator new(size)`, without its exception.
#[inline(always)]
pub fn new<const ARRAY: bool>(size: usize) -> *mut c_void {
    let block = entry::pop(size);
    if !block.is_null() {
        return block.cast();
    }
    match (ARRAY, entry::is_tracked()) {
        (false, false) => single_cold(size),
        (false, true) => single_tracked(size),
        (true, false) => array_cold(size),
        (true, true) => array_tracked(size),
    }
}

with_caller! {
    fn single_cold(size: usize) -> *mut c_void = single_body
}

with_caller! {
    fn array_cold(size: usize) -> *mut c_void = array_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn single_body(size: usize, sp: usize, fp: usize) -> *mut c_void {
    match entry::allocate_untracked(size, ALIGN_MIN) {
        Some(block) => block.as_ptr().cast(),
        None => allocate_any(size, sp, fp, Family::New),
    }
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn array_body(size: usize, sp: usize, fp: usize) -> *mut c_void {
    match entry::allocate_untracked(size, ALIGN_MIN) {
        Some(block) => block.as_ptr().cast(),
        None => allocate_any(size, sp, fp, Family::NewArray),
    }
}

#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn allocate_any(size: usize, sp: usize, fp: usize, family: Family) -> *mut c_void {
    entry::allocate_any(Request::plain(size, Registers { sp, fp }).of(family)).cast()
}

with_caller! {
    fn single_tracked(size: usize) -> *mut c_void = short or single_tracked_body
}

with_caller! {
    fn array_tracked(size: usize) -> *mut c_void = short or array_tracked_body
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn single_tracked_body(size: usize, sp: usize, fp: usize, seen: Seen) -> *mut c_void {
    entry::allocate_after(size, Registers { sp, fp }, seen, Family::New).cast()
}

#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
extern "C" fn array_tracked_body(size: usize, sp: usize, fp: usize, seen: Seen) -> *mut c_void {
    entry::allocate_after(size, Registers { sp, fp }, seen, Family::NewArray).cast()
}

/// `operator new(size, std::align_val_t)`, without its exception; null for what is no power of two.
#[inline(always)]
pub fn new_aligned<const ARRAY: bool>(size: usize, align: usize) -> *mut c_void {
    if !align.is_power_of_two() || align > isize::MAX as usize / 2 + 1 {
        return core::ptr::null_mut();
    }
    let align = align.max(ALIGN_MIN);
    let block = match ARRAY {
        true => entry::allocate_new_array(size, align),
        false => entry::allocate_new(size, align),
    };
    block.cast()
}

/// `operator delete` in its forms without a size.
#[inline(always)]
pub fn delete<const ARRAY: bool>(address: *mut c_void) {
    entry::free(address.cast(), family::<ARRAY>());
}

/// `operator delete` in its forms with a size: one that is not the block's is a mistake, and
/// reported. `align` is one for those without an alignment.
#[inline(always)]
pub fn delete_sized<const ARRAY: bool>(address: *mut c_void, size: usize, align: usize) {
    entry::free_sized(address.cast(), family::<ARRAY>(), size, align.max(ALIGN_MIN));
}
