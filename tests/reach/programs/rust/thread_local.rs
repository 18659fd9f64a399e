//! Thread-locals: dropped with their thread when they own, lost when they do not.
#[path = "../plant.rs"]
mod plant;

use std::cell::{Cell, RefCell};
use std::hint::black_box;
use std::ptr;
use std::thread;

thread_local! {
    static OWNED: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
    static RAW: Cell<*mut [u8; 41]> = const { Cell::new(ptr::null_mut()) };
}

#[inline(never)]
fn fill(clean: bool) {
    OWNED.with(|owned| owned.borrow_mut().resize(500, 1));
    // LEAK lost 1 block 41 bytes
    // LEAK reachable 1 block 41 bytes held by tls
    let raw = Box::into_raw(Box::new([1; 41]));
    RAW.set(black_box(raw));
    black_box(&RAW);
    if clean {
        // SAFETY: it was a box some lines above.
        drop(unsafe { Box::from_raw(RAW.replace(ptr::null_mut())) });
    }
}

#[inline(never)]
fn plants(clean: bool) {
    thread::spawn(move || fill(clean)).join().expect("it ends well");
    fill(clean);
}

fn main() {
    plant::run(plants);
}
