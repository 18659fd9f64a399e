//! `OnceLock`, `Mutex` and `LazyLock` statics are never dropped: what they own stays reachable.
#[path = "../plant.rs"]
mod plant;

use std::hint::black_box;
use std::sync::{LazyLock, Mutex, OnceLock};

static ONCE: OnceLock<Box<[u8; 33]>> = OnceLock::new();
static LIST: Mutex<Vec<Box<u64>>> = Mutex::new(Vec::new());
static LAZY: LazyLock<String> = LazyLock::new(make_text);

#[inline(never)]
fn make_text() -> String {
    String::from(black_box("lazily")) // LEAK reachable 1 block 6 bytes held by global LAZY
}

#[inline(never)]
fn plants(clean: bool) {
    if clean {
        return;
    }
    ONCE.get_or_init(|| Box::new([1; 33])); // LEAK reachable 1 block 33 bytes held by global ONCE
    let mut list = LIST.lock().expect("no thread panics");
    list.reserve_exact(20); // LEAK reachable 1 block 160 bytes held by global LIST
    for number in 0..20 {
        list.push(Box::new(number)); // LEAK reachable 20 blocks 160 bytes held by global LIST
    }
    black_box(LAZY.len());
}

fn main() {
    plant::run(plants);
}
