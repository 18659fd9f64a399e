//! What the planted programs in Rust share: the twin that leaks nothing, and a stack without dead
//! frames. A program's `main` calls [`run`]; `program clean` is the twin.

use std::hint::black_box;

/// Runs the program's part, in its twin or not.
pub fn run(plant: fn(bool)) {
    let clean = std::env::args().nth(1).is_some_and(|mode| mode == "clean");
    black_box(plant)(clean);
    scrub();
}

/// Overwrites what returned calls have left on the stack.
#[inline(never)]
pub fn scrub() {
    let mut dead = [0u8; 1 << 16];
    black_box(&mut dead);
}
