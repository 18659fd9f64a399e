//! A thread that is blocked on a lock has a box and a vector on its stack.
#[path = "../plant.rs"]
mod plant;

use std::hint::black_box;
use std::sync::{Mutex, mpsc};
use std::thread;

static LOCK: Mutex<()> = Mutex::new(());

#[inline(never)]
fn waits(ready: &mpsc::SyncSender<()>) {
    let boxed = Box::new([1u8; 43]); // LEAK reachable 1 block 43 bytes held by stack
    let numbers = vec![1u32; 11]; // LEAK reachable 1 block 44 bytes held by stack
    black_box((&boxed, &numbers));
    plant::scrub();
    ready.send(()).expect("the other end is there");
    let _locked = LOCK.lock();
    black_box((&boxed, &numbers));
}

#[inline(never)]
fn plants(clean: bool) {
    if clean {
        return;
    }
    std::mem::forget(LOCK.lock());
    let (ready, is_ready) = mpsc::sync_channel(1); // LIBRARY the channel
    thread::spawn(move || waits(&ready)); // LIBRARY the thread and its packet
    is_ready.recv().expect("the thread is there"); // LIBRARY the list of those who wait
}

fn main() {
    plant::run(plants);
}
