//! `mem::forget` of a box, a string and a vector; `Box::leak` whose result is kept and dropped.
#[path = "../plant.rs"]
mod plant;

use std::hint::black_box;
use std::mem;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};

static KEPT: AtomicPtr<[u8; 60]> = AtomicPtr::new(ptr::null_mut());

#[inline(never)]
fn plants(clean: bool) {
    let boxed = Box::new([1u8; 50]); // LEAK lost 1 block 50 bytes
    let text = String::from(black_box("a text of 23 characters")); // LEAK lost 1 block 23 bytes
    let numbers = Vec::<u64>::with_capacity(black_box(10)); // LEAK lost 1 block 80 bytes
    // LEAK reachable 1 block 60 bytes held by global KEPT
    let leaked = Box::leak(Box::new([2u8; 60]));
    let dropped = Box::leak(Box::new([3u8; 70])); // LEAK lost 1 block 70 bytes
    black_box((&boxed, &text, &numbers));
    KEPT.store(leaked, Ordering::Relaxed);
    if clean {
        // SAFETY: both were boxes, and nothing else has their addresses but KEPT, unused now.
        unsafe { drop((Box::from_raw(KEPT.load(Ordering::Relaxed)), Box::from_raw(dropped))) };
    } else {
        black_box(dropped);
        mem::forget((boxed, text, numbers));
    }
}

fn main() {
    plant::run(plants);
}
