//! Boxed trait objects: a fat pointer's first word is the block.
#[path = "../plant.rs"]
mod plant;

use std::hint::black_box;
use std::mem;
use std::sync::Mutex;

trait Shape: Send {
    fn area(&self) -> u64;
}

struct Square(u64);
struct Oblong(u64, u64);

impl Shape for Square {
    fn area(&self) -> u64 {
        self.0 * self.0
    }
}

impl Shape for Oblong {
    fn area(&self) -> u64 {
        self.0 * self.1
    }
}

static KEPT: Mutex<Option<Box<dyn Shape>>> = Mutex::new(None);

#[inline(never)]
fn plants(clean: bool) {
    // LEAK reachable 1 block 8 bytes held by global KEPT
    let kept: Box<dyn Shape> = Box::new(Square(black_box(3)));
    let lost: Box<dyn Shape> = Box::new(Oblong(black_box(3), 4)); // LEAK lost 1 block 16 bytes
    black_box(kept.area() + lost.area());
    if clean {
        return;
    }
    *KEPT.lock().expect("no thread panics") = Some(kept);
    mem::forget(lost);
}

fn main() {
    plant::run(plants);
}
