//! A list of boxes whose head is forgotten.
#[path = "../plant.rs"]
mod plant;

use std::hint::black_box;
use std::mem;

struct Node {
    next: Option<Box<Node>>,
    value: u64,
}

#[inline(never)]
fn rest() -> Option<Box<Node>> {
    let mut first = None;
    for value in 0..6 {
        // LEAK indirect 6 blocks 96 bytes under head
        first = Some(Box::new(Node { next: first, value }));
    }
    first
}

#[inline(never)]
fn head() -> Box<Node> {
    Box::new(Node { next: rest(), value: 9 }) // LEAK lost 1 block 16 bytes
}

#[inline(never)]
fn plants(clean: bool) {
    let list = head();
    black_box(list.value);
    if !clean {
        mem::forget(list);
    }
}

fn main() {
    plant::run(plants);
}
