//! Two `Rc` that hold each other, one of which holds a string.
#[path = "../plant.rs"]
mod plant;

use std::cell::RefCell;
use std::hint::black_box;
use std::rc::Rc;

struct Node {
    next: RefCell<Option<Rc<Node>>>,
    name: String,
}

#[inline(never)]
fn plants(clean: bool) {
    // LEAK indirect 1 block 31 bytes
    let text = String::from(black_box("thirty characters of plain text"));
    let one = Rc::new(Node { next: RefCell::default(), name: text }); // LEAK cycle 1 block 56 bytes
    // LEAK cycle 1 block 56 bytes
    let two = Rc::new(Node { next: RefCell::default(), name: String::new() });
    *one.next.borrow_mut() = Some(Rc::clone(&two));
    *two.next.borrow_mut() = Some(Rc::clone(&one));
    black_box((&one.name, &two.name));
    if clean {
        two.next.borrow_mut().take();
    }
}

fn main() {
    plant::run(plants);
}
