//! One mistake with a block of Rust's, or none: what the environment names.

use std::alloc::{GlobalAlloc, Layout};
use std::env;
use std::hint::black_box;

/// Names the kind and the size.
pub(crate) const VARIABLE: &str = "PLANTED_MISUSE";

#[inline(never)]
fn allocate_it(layout: Layout) -> *mut u8 {
    // SAFETY: no layout here is empty.
    black_box(unsafe { crate::HEAP.alloc(layout) })
}

/// # Safety
/// None: that is the point of it.
#[inline(never)]
unsafe fn free_it(block: *mut u8, layout: Layout) {
    // SAFETY: the mistake under test.
    unsafe { crate::HEAP.dealloc(black_box(block), layout) };
    black_box(block);
}

/// # Safety
/// As [`free_it`]; and no layout that is resized may be made empty, which this allocator allows.
#[inline(never)]
unsafe fn empty_it(block: *mut u8, layout: Layout) -> *mut u8 {
    // SAFETY: the mistake under test.
    black_box(unsafe { crate::HEAP.realloc(black_box(block), layout, 0) })
}

/// # Safety
/// As [`free_it`].
#[inline(never)]
unsafe fn resize_and_free_it(mut block: *mut u8, named: Layout, layout: Layout) {
    // SAFETY: the mistake under test, or none.
    unsafe {
        let (mut named, mut size) = (named, layout.size());
        // Smaller ones may stay where they were, in memory of another size.
        while size > 1 {
            size -= size.div_ceil(3);
            block = black_box(crate::HEAP.realloc(black_box(block), named, size));
            named = Layout::from_size_align(size, 1).expect("a layout");
        }
        free_it(block, named);
    }
}

/// # Safety
/// As [`free_it`].
#[inline(never)]
unsafe fn write_it(at: *mut u8) {
    // SAFETY: the mistake under test.
    unsafe { black_box(at).write_volatile(b'y') };
}

/// Does as the environment says, if it says something.
pub(crate) fn misuse() {
    let Ok(what) = env::var(VARIABLE) else { return };
    let (kind, size) = what.split_once(' ').expect("a kind and a size");
    let size: usize = size.parse().expect("a size");
    let layout = Layout::from_size_align(size, 1).expect("a layout");
    let blocks: Vec<_> = (0..8).map(|_| allocate_it(layout)).collect();
    let last = *blocks.iter().max().expect("eight");
    let other = |size, align| Layout::from_size_align(size, align).expect("a layout");
    // SAFETY: the mistake under test, or none.
    unsafe {
        last.write_bytes(b'x', size);
        match kind {
            "overflow" => write_it(last.wrapping_add(size)),
            "underflow" => write_it(last.wrapping_sub(1)),
            _ => {}
        }
        match kind {
            "resized" => resize_and_free_it(last, layout, layout),
            "empty" => {
                let empty = empty_it(last, layout);
                write_it(empty);
                free_it(empty, other(0, 1));
            }
            "wrong-layout" => free_it(last, other(size + 1, 1)),
            "wrong-class" => free_it(last, other(size * 2 + 100, 1)),
            "wrong-class-resized" => resize_and_free_it(last, other(size / 4, 1), layout),
            "wrong-align" => free_it(last, other(size, 1 << 20)),
            "free-inside" => free_it(last.wrapping_add(16), layout),
            _ => free_it(last, layout),
        }
        match kind {
            "write-after-free" => write_it(last),
            "read-after-free" => drop(black_box(last.read_volatile())),
            "double-free" => free_it(last, layout),
            _ => {}
        }
        for block in blocks.into_iter().filter(|block| *block != last) {
            free_it(block, layout);
        }
    }
    // What is freed and written to is found by now; the rest of the process is not ours.
    let _damaged = heapsight::check_heap();
}
