//! The Rust face: Heapsight as the global allocator.

use crate::heap::alloc::Request;
use crate::runtime::misuse::{self, Call};
use crate::runtime::{entry, start};
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
        if block.is_null() { allocate_cold(layout, false) } else { block }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        allocate_cold(layout, true)
    }

    #[inline]
    unsafe fn dealloc(&self, address: *mut u8, _: Layout) {
        if let Err(misuse) = entry::free(address) {
            misuse::handle(Call::Free, misuse);
        }
    }

    #[inline]
    unsafe fn realloc(&self, address: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        match entry::reallocate(address, new_size, layout.align()) {
            Ok(block) => block,
            Err(misuse) => {
                misuse::handle(Call::Realloc, misuse);
                core::ptr::null_mut()
            }
        }
    }
}

/// The first request of a process starts Heapsight: a Rust program has no constructor that would.
#[inline(never)]
fn allocate_cold(layout: Layout, zero: bool) -> *mut u8 {
    start::ensure();
    entry::allocate_any(Request { size: layout.size(), align: layout.align(), zero })
}
