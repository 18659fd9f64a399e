//! The table of unwind rules: readers without a lock against a writer that forgets and learns.

#[path = "../unwind/native/slots.rs"]
mod slots;

use loom::sync::Arc;
use loom::thread;
use slots::{KEY_MIN, Slot, clear, find, put};

/// Two keys that want the same slot.
const KEYS: [u64; 2] = [KEY_MIN, KEY_MIN + 1];

fn value_of(key: u64) -> u64 {
    key * 10
}

fn is_right(slots: &[Slot], key: u64) -> bool {
    find(slots, key).is_none_or(|value| value == value_of(key))
}

#[test]
fn a_reader_finds_the_value_of_its_key_or_none() {
    loom::model(|| {
        let slots = Arc::new([Slot::new()]);
        put(&*slots, KEYS[0], value_of(KEYS[0]));
        let readers = KEYS.map(|key| {
            let slots = Arc::clone(&slots);
            thread::spawn(move || assert!(is_right(&*slots, key), "of key {key}"))
        });
        clear(&*slots, |_| true);
        assert!(!put(&*slots, KEYS[1], value_of(KEYS[1])), "the removed key's slot is used again");
        for reader in readers {
            reader.join().unwrap();
        }
        assert_eq!(find(&*slots, KEYS[0]), None);
        assert_eq!(find(&*slots, KEYS[1]), Some(value_of(KEYS[1])));
    });
}

#[test]
fn what_is_learnt_is_never_seen_half() {
    loom::model(|| {
        let slots = Arc::new([Slot::new(), Slot::new()]);
        let reader = {
            let slots = Arc::clone(&slots);
            thread::spawn(move || assert!(KEYS.iter().all(|key| is_right(&*slots, *key))))
        };
        for key in KEYS {
            assert!(put(&*slots, key, value_of(key)));
        }
        reader.join().unwrap();
        assert!(KEYS.iter().all(|key| find(&*slots, *key) == Some(value_of(*key))));
    });
}
