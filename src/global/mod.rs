//! The Rust face: Heapsight as the global allocator.
//!
//! [`owned`] has it as a value that is passed along, with typed blocks; [`tracked`] counts what
//! another allocator serves.

mod owned;
mod tracked;

pub use owned::{DupeError, Owned};
pub use tracked::Tracked;

use crate::harden::family::Family;
use crate::heap::alloc::Request;
use crate::runtime::caller::with_caller;
use crate::runtime::entry;
use crate::runtime::misuse::{self, Call};
use crate::runtime::safety::size::{self, Named};
use crate::runtime::start;
use crate::unwind::Registers;
use core::alloc::{GlobalAlloc, Layout};

/// The allocator, for `#[global_allocator]`.
///
/// ```
/// #[global_allocator]
/// static HEAP: heapsight::Heapsight = heapsight::Heapsight::new();
///
/// fn main() {
///     let numbers = vec![1, 2, 3];
///     assert_eq!(numbers.len(), 3);
/// }
/// ```
///
/// It reads the environment variable `HEAPSIGHT` at the first allocation. All heaps are those of
/// the process: several statics of this type share them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Heapsight;

impl Heapsight {
    /// The allocator.
    #[must_use]
    pub const fn new() -> Self {
        Self
    }
}

// SAFETY: the engine's blocks are disjoint, hold the layout's size at its alignment, and live until
// freed; nothing here unwinds.
unsafe impl GlobalAlloc for Heapsight {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let block = entry::pop_layout(layout.size(), layout.align());
        if block.is_null() { allocate_cold(layout.size(), layout.align()) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocate_zeroed(layout.size(), layout.align())
    }

    #[inline]
    unsafe fn dealloc(&self, address: *mut u8, layout: Layout) {
        entry::free_sized(address, Family::Rust, layout.size(), layout.align());
    }

    #[inline]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        reallocate(address, layout.size(), new_size, layout.align())
    }
}

with_caller! {
    fn allocate_cold(size: usize, align: usize) -> *mut u8 = cold_body
}

/// The first request of a process starts Heapsight: a Rust program has no constructor that would.
extern "C" fn cold_body(size: usize, align: usize, sp: usize, fp: usize) -> *mut u8 {
    start::ensure();
    let caller = Registers { sp, fp };
    match entry::allocate_soon(size, align, caller) {
        Some(block) => block.as_ptr(),
        None => entry::allocate_any(Request::new(size, align, caller).of(Family::Rust)),
    }
}

with_caller! {
    fn allocate_zeroed(size: usize, align: usize) -> *mut u8 = zeroed_body
}

extern "C" fn zeroed_body(size: usize, align: usize, sp: usize, fp: usize) -> *mut u8 {
    start::ensure();
    let caller = Registers { sp, fp };
    match entry::allocate_zeroed_soon(size, align, caller) {
        Some(block) => block.as_ptr(),
        None => entry::allocate_any(Request::new(size, align, caller).of(Family::Rust).zeroed()),
    }
}

with_caller! {
    fn reallocate(address: *mut u8, old_size: usize, size: usize, align: usize) -> *mut u8
        = reallocate_body
}

extern "C" fn reallocate_body(
    address: *mut u8,
    old_size: usize,
    size: usize,
    align: usize,
    sp: usize,
    fp: usize,
) -> *mut u8 {
    size::check(Call::Realloc, address, Named { size: old_size, align }, Family::Rust);
    let request = Request::new(size, align, Registers { sp, fp }).of(Family::Rust);
    match entry::reallocate(address, request) {
        Ok(block) => block,
        Err(misuse) => {
            misuse::handle(Call::Realloc, misuse);
            core::ptr::null_mut()
        }
    }
}
