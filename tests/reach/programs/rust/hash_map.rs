//! A map in a static: its table is held by a pointer behind its entries, so all of it is interior.
#[path = "../plant.rs"]
mod plant;

use std::collections::HashMap;
use std::sync::Mutex;

static MAP: Mutex<Option<HashMap<String, Vec<u8>>>> = Mutex::new(None);

#[inline(never)]
fn plants(clean: bool) {
    if clean {
        return;
    }
    // 16 buckets of 48 bytes, and 32 bytes of control.
    // LEAK reachable interior 1 block 800 bytes held by global MAP
    let mut map = HashMap::with_capacity(10);
    for number in 0..10u8 {
        // LEAK reachable interior 10 blocks 260 bytes held by global MAP
        let mut key = String::with_capacity(26);
        key.push(char::from(b'a' + number));
        // LEAK reachable interior 10 blocks 300 bytes held by global MAP
        let value = vec![number; 30];
        map.insert(key, value);
    }
    *MAP.lock().expect("no thread panics") = Some(map);
}

fn main() {
    plant::run(plants);
}
