//! Leaks of Rust with known stacks, for the tests of the leak report. A plain Rust program: it
//! allocates with the system's malloc and does not know that anybody watches.
//!
//! The markers are those of leak.c. `leak clean` allocates the same and drops all of it.

use std::alloc::{Layout, alloc, dealloc};
use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
use std::{env, mem, thread};

/// Forgets the value, or drops it in the clean twin.
#[inline(never)]
fn lose<T>(value: T, clean: bool) {
    black_box(&value);
    if clean {
        drop(value);
    } else {
        mem::forget(value);
    }
}

#[inline(never)]
fn boxed(clean: bool) {
    for fill in 0..3u8 {
        // LEAK: 3 blocks, 300 bytes in boxed
        let leaked = Box::leak(Box::new([black_box(fill); 100]));
        black_box(&mut *leaked);
        if clean {
            // SAFETY: it was a box one line ago, and nothing else refers to it.
            drop(unsafe { Box::from_raw(leaked) });
        }
    }
}

#[inline(never)]
fn vectors(clean: bool) {
    lose(Vec::<u64>::with_capacity(50), clean); // LEAK: 1 block, 400 bytes in vectors
    lose(vec![0u8; black_box(1000)], clean); // LEAK: 1 block, 1000 bytes in vectors
}

#[inline(never)]
fn grown(clean: bool) {
    let mut numbers = Vec::<u64>::with_capacity(4);
    numbers.push(black_box(7));
    numbers.reserve_exact(99); // LEAK: 1 block, 800 bytes in grown
    lose(numbers, clean);
}

#[inline(never)]
fn text(clean: bool) {
    for _ in 0..2 {
        // LEAK: 2 blocks, 40 bytes in text
        lose(String::from(black_box("twenty bytes of text")), clean);
    }
}

struct Node {
    next: RefCell<Option<Rc<Node>>>,
    payload: [u64; 6],
}

impl Node {
    fn new() -> Rc<Node> {
        // Two counters, the link with its borrow flag, six words.
        // LEAK: 2 blocks, 160 bytes in Node::new, called by cycle
        Rc::new(Node { next: RefCell::new(None), payload: [black_box(1); 6] })
    }
}

#[inline(never)]
fn cycle(clean: bool) {
    let mut nodes = [const { None }; 2];
    for node in &mut nodes {
        *node = Some(Node::new()); // CALLER: cycle
    }
    let [Some(first), Some(second)] = nodes else { unreachable!() };
    *first.next.borrow_mut() = Some(second.clone());
    *second.next.borrow_mut() = Some(first.clone());
    black_box(first.payload);
    if clean {
        first.next.borrow_mut().take();
    }
}

#[inline(never)]
fn counted(clean: bool) {
    lose(Arc::new([black_box(5u64); 8]), clean); // LEAK: 1 block, 80 bytes in counted
}

#[inline(never)]
fn aligned(clean: bool) {
    let layout = Layout::from_size_align(512, 256).unwrap();
    // SAFETY: the size is not zero; what is freed is what was allocated, by the same layout.
    unsafe {
        let block = black_box(alloc(layout)); // LEAK: 1 block, 512 bytes in aligned
        if clean {
            dealloc(block, layout);
        }
    }
}

#[inline(always)]
fn dissolved(clean: bool) {
    // LEAK: 1 block, 16 bytes in inlined dissolved, called by inlining
    lose(Box::new(black_box(77u128)), clean);
}

#[inline(never)]
fn inlining(clean: bool) {
    dissolved(clean); // CALLER: inlining
}

#[inline(never)]
fn in_thread(clean: bool) {
    for number in 0..4u32 {
        lose(Box::new(black_box(number)), clean); // LEAK: 4 blocks, 16 bytes in in_thread
    }
}

fn main() {
    let clean = env::args().nth(1).is_some_and(|mode| mode == "clean");
    boxed(clean);
    vectors(clean);
    grown(clean);
    text(clean);
    cycle(clean);
    counted(clean);
    aligned(clean);
    inlining(clean);
    thread::spawn(move || in_thread(clean)).join().unwrap();
    println!("{}", if clean { "freed everything" } else { "leaked as planned" });
}
