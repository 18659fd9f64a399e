//! A hash table from frames to rules whose readers take no lock: the protocol.
//!
//! Open addressing, one pair of words per slot. Writers hold a lock; a reader takes a value only if
//! the key is the same before and after. A key is written once its value is there, and taken out
//! before another value comes: so a value read between two reads of the same key is the key's. Only
//! the number inside a key's own value may change, from none to some.
//!
//! (Unless the key was removed and came back meanwhile, which takes two invalidations. Whoever
//! keeps what it has read asks afterwards whether there has been one:
//! [`super::table::View::is_stale`].)
//!
//! A removed key leaves a mark that searches pass over and insertions use again.

use crate::base::sync::{AtomicU64, Ordering};

/// One slot.
#[derive(Debug)]
pub(super) struct Slot {
    key: AtomicU64,
    value: AtomicU64,
}

const FREE: u64 = 0;
const REMOVED: u64 = 1;

/// Keys below this are no keys.
pub(super) const KEY_MIN: u64 = 2;

impl Slot {
    #[cfg(loom)]
    pub(super) fn new() -> Self {
        Self { key: AtomicU64::new(FREE), value: AtomicU64::new(0) }
    }
}

/// The slots from where `key` belongs, each once. `slots` has a power of two of them.
#[inline(always)]
fn probe(slots: &[Slot], key: u64) -> impl Iterator<Item = &Slot> {
    let mask = slots.len().wrapping_sub(1);
    let first = (key.wrapping_mul(FACTOR) >> 32) as usize;
    // The mask keeps the index inside, and an empty table has no steps.
    (0..slots.len()).filter_map(move |step| slots.get((first.wrapping_add(step)) & mask))
}

/// The value of `key`.
#[inline(always)]
pub(super) fn find(slots: &[Slot], key: u64) -> Option<u64> {
    for slot in probe(slots, key) {
        // Acquire: pairs with the Release in `put`; the value is at least that of this key.
        let found = slot.key.load(Ordering::Acquire);
        if found == key {
            // Acquire: if this is a later key's value, the reader sees that the key had gone.
            let value = slot.value.load(Ordering::Acquire);
            return (slot.key.load(Ordering::Relaxed) == key).then_some(value);
        }
        if found == FREE {
            return None;
        }
    }
    None
}

/// The value of `key` if it is where it belongs, as nearly all are. `slots` has a power of two of
/// them.
///
/// # Safety
/// There is at least one slot.
#[inline(always)]
pub(super) unsafe fn find_at_once(slots: &[Slot], key: u64) -> Option<u64> {
    let first = (key.wrapping_mul(FACTOR) >> 32) as usize & slots.len().wrapping_sub(1);
    // SAFETY: the mask keeps the index inside, as the caller has seen that there are slots.
    let slot = unsafe { slots.get_unchecked(first) };
    // As in `find`.
    if slot.key.load(Ordering::Acquire) != key {
        return None;
    }
    let value = slot.value.load(Ordering::Acquire);
    (slot.key.load(Ordering::Relaxed) == key).then_some(value)
}

/// Sets the value of `key`, which may be there already. The caller holds the writers' lock and has
/// seen to it that there is room. Whether a free slot was used up.
pub(super) fn put(slots: &[Slot], key: u64, value: u64) -> bool {
    let mut target: Option<&Slot> = None;
    for slot in probe(slots, key) {
        match slot.key.load(Ordering::Relaxed) {
            found if found == key => {
                // Release: as below.
                slot.value.store(value, Ordering::Release);
                return false;
            }
            REMOVED => target = target.or(Some(slot)),
            FREE => {
                write(target.unwrap_or(slot), key, value);
                return target.is_none();
            }
            _ => {}
        }
    }
    if let Some(slot) = target {
        write(slot, key, value);
    }
    false
}

fn write(slot: &Slot, key: u64, value: u64) {
    // Release: who sees this value sees that the key before had been taken out.
    slot.value.store(value, Ordering::Release);
    // Release: who sees the key sees its value.
    slot.key.store(key, Ordering::Release);
}

/// Takes out every key that goes. The caller holds the writers' lock.
pub(super) fn clear(slots: &[Slot], mut goes: impl FnMut(u64) -> bool) {
    for slot in slots {
        let key = slot.key.load(Ordering::Relaxed);
        if key >= KEY_MIN && goes(key) {
            slot.key.store(REMOVED, Ordering::Relaxed);
        }
    }
}

/// Copies every key and value into empty slots; how many. The caller holds the writers' lock.
#[cfg(not(loom))]
pub(super) fn copy(from: &[Slot], to: &[Slot]) -> usize {
    let mut count = 0;
    for slot in from {
        let key = slot.key.load(Ordering::Relaxed);
        if key >= KEY_MIN {
            put(to, key, slot.value.load(Ordering::Relaxed));
            count += 1;
        }
    }
    count
}

/// 2^64 divided by the golden ratio: spreads the differences of addresses (Knuth 6.4).
const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
#[cfg(not(loom))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;
    use std::vec::Vec;

    const LEN: usize = 64;

    fn table() -> Vec<Slot> {
        let slot = || Slot { key: AtomicU64::new(FREE), value: AtomicU64::new(0) };
        core::iter::repeat_with(slot).take(LEN).collect()
    }

    proptest! {
        #[test]
        fn behaves_like_a_map(
            edits in prop::collection::vec((any::<bool>(), KEY_MIN..40u64, any::<u64>()), 0..300),
        ) {
            let (slots, mut model) = (table(), HashMap::new());
            for (is_put, key, value) in edits {
                if is_put {
                    put(&slots, key, value);
                    model.insert(key, value);
                } else {
                    clear(&slots, |stored| stored % 3 == key % 3);
                    model.retain(|stored, _| stored % 3 != key % 3);
                }
            }
            for key in KEY_MIN..40 {
                prop_assert_eq!(find(&slots, key), model.get(&key).copied());
                // SAFETY: there are slots.
                let at_once = unsafe { find_at_once(&slots, key) };
                prop_assert!(at_once.is_none() || at_once == model.get(&key).copied());
            }
            let copied = table();
            prop_assert_eq!(copy(&slots, &copied), model.len());
            for (key, value) in model {
                prop_assert_eq!(find(&copied, key), Some(value));
            }
        }
    }
}
