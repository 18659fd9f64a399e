//! `Arc::into_raw` points behind the counters.
#[path = "../plant.rs"]
mod plant;

use std::ptr;
use std::sync::Arc;
use std::sync::atomic::{AtomicPtr, Ordering};

static KEPT: AtomicPtr<[u64; 5]> = AtomicPtr::new(ptr::null_mut());

#[inline(never)]
fn plants(clean: bool) {
    let made = Arc::new([1u64; 5]); // LEAK reachable interior 1 block 56 bytes held by global KEPT
    KEPT.store(Arc::into_raw(made).cast_mut(), Ordering::Relaxed);
    if clean {
        // SAFETY: it came from `into_raw`.
        drop(unsafe { Arc::from_raw(KEPT.load(Ordering::Relaxed)) });
    }
}

fn main() {
    plant::run(plants);
}
