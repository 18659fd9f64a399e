//! A cache that only grows, and a channel that nobody reads: both reachable.
#[path = "../plant.rs"]
mod plant;

use std::sync::{Mutex, OnceLock, mpsc};

static CACHE: Mutex<Vec<Box<[u8; 90]>>> = Mutex::new(Vec::new());
static ENDS: OnceLock<Mutex<(mpsc::Sender<Box<u64>>, mpsc::Receiver<Box<u64>>)>> = OnceLock::new();

#[inline(never)]
fn plants(clean: bool) {
    if clean {
        return;
    }
    let mut cache = CACHE.lock().expect("no thread panics");
    cache.reserve_exact(300); // LEAK reachable 1 block 2400 bytes held by global CACHE
    for _ in 0..300 {
        cache.push(Box::new([0; 90])); // LEAK reachable 300 blocks 27000 bytes held by global CACHE
    }
    let ends = ENDS.get_or_init(|| Mutex::new(mpsc::channel())); // LIBRARY the channel
    let ends = ends.lock().expect("no thread panics");
    for number in 0..40 {
        let message = Box::new(number); // LEAK reachable 40 blocks 320 bytes held by global ENDS
        ends.0.send(message).expect("the other end is there"); // LIBRARY the channel's blocks
    }
}

fn main() {
    plant::run(plants);
}
