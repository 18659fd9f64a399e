//! A ring of four `Arc`, built by several threads.
#[path = "../plant.rs"]
mod plant;

use std::sync::{Arc, Mutex};
use std::thread;

#[derive(Default)]
struct Node {
    next: Mutex<Option<Arc<Node>>>,
}

#[inline(never)]
fn make() -> Arc<Node> {
    Arc::new(Node::default()) // LEAK cycle 4 blocks 128 bytes
}

#[inline(never)]
fn plants(clean: bool) {
    let nodes: Vec<_> = (0..4).map(|_| thread::spawn(make).join().expect("a node")).collect();
    for (node, next) in nodes.iter().zip(nodes.iter().cycle().skip(1)) {
        *node.next.lock().expect("no thread panics") = Some(Arc::clone(next));
    }
    if clean {
        nodes[0].next.lock().expect("no thread panics").take();
    }
}

fn main() {
    plant::run(plants);
}
