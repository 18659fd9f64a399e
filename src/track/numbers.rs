//! A hash table of numbers: finds the record with a given content among records that only grow.
//!
//! Linear probing. Looking up takes no lock: a slot is zero or the number of a record that was
//! complete before the slot was written. Inserting and doubling happen under the caller's lock; old
//! tables stay readable for whoever is still in one, and add up to less than the current one.

use crate::base::sync::{AtomicPtr, AtomicU32, Ordering};
use crate::os::memory;
use core::ptr;

/// The table.
#[derive(Debug)]
pub(super) struct Numbers {
    table: AtomicPtr<Head>,
    used: AtomicU32,
}

/// Of one table; `mask + 1` slots follow.
#[derive(Debug)]
#[repr(C)]
struct Head {
    mask: usize,
}

const SLOTS_FIRST: usize = 1 << 10;

impl Numbers {
    pub(super) const fn new() -> Self {
        Self { table: AtomicPtr::new(ptr::null_mut()), used: AtomicU32::new(0) }
    }

    /// The number under `hash` whose record `is_wanted`.
    #[inline]
    pub(super) fn find(&self, hash: u64, is_wanted: impl Fn(u32) -> bool) -> Option<u32> {
        // SAFETY: tables are published complete and never given back.
        let table = unsafe { self.table.load(Ordering::Acquire).as_ref() }?;
        let mut at = hash as usize;
        loop {
            // Acquire: pairs with the Release in `Head::put`.
            let number = table.slot(at).load(Ordering::Acquire);
            if number == 0 {
                return None;
            }
            if is_wanted(number) {
                return Some(number);
            }
            at = at.wrapping_add(1);
        }
    }

    /// Makes room for so many more, by doubling at half full; there are `count` records. The
    /// caller's lock is held. `false`: out of memory.
    pub(super) fn reserve(&self, more: u32, count: u32, hash_of: impl Fn(u32) -> u64) -> bool {
        // SAFETY: as in `find`.
        let old = unsafe { self.table.load(Ordering::Relaxed).as_ref() };
        let slots = old.map_or(0, |table| table.mask + 1);
        if (self.used.load(Ordering::Relaxed) as usize + more as usize) * 2 <= slots {
            return true;
        }
        let slots = (slots * 2).max(SLOTS_FIRST);
        let len = size_of::<Head>() + slots * size_of::<AtomicU32>();
        let Some(pages) = memory::map_zeroed(len) else { return false };
        let head = pages.cast::<Head>();
        // SAFETY: the pages are ours, zeroed and large enough.
        let table = unsafe {
            head.write(Head { mask: slots - 1 });
            head.as_ref()
        };
        if let Some(old) = old {
            (0..=old.mask)
                .map(|at| old.slot(at).load(Ordering::Relaxed))
                .filter(|number| *number != 0 && *number < count)
                .for_each(|number| table.put(hash_of(number), number));
        }
        // Release: pairs with the Acquire in `find`. Readers of the old table miss what is newer,
        // and come for it under the lock.
        self.table.store(head.as_ptr(), Ordering::Release);
        true
    }

    /// Adds a number for which [`Self::reserve`] has made room. The caller's lock is held.
    pub(super) fn put(&self, hash: u64, number: u32) {
        // SAFETY: as in `find`.
        if let Some(table) = unsafe { self.table.load(Ordering::Relaxed).as_ref() } {
            table.put(hash, number);
            self.used.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Head {
    #[inline]
    fn slot(&self, at: usize) -> &AtomicU32 {
        // SAFETY: the head is followed by `mask + 1` slots.
        unsafe { &*ptr::from_ref(self).add(1).cast::<AtomicU32>().add(at & self.mask) }
    }

    fn put(&self, hash: u64, number: u32) {
        let mut at = hash as usize;
        while self.slot(at).load(Ordering::Relaxed) != 0 {
            at = at.wrapping_add(1);
        }
        self.slot(at).store(number, Ordering::Release);
    }
}

/// Spreads two numbers over 64 bits (the mixing step of wyhash, W. Yi 2019).
#[inline]
pub(super) fn mix(a: u64, b: u64) -> u64 {
    let wide = u128::from(a ^ 0xa076_1d64_78bd_642f) * u128::from(b ^ 0xe703_7ed1_a0b4_28db);
    (wide ^ (wide >> 64)) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #[test]
        fn whatever_was_put_is_found(keys in prop::collection::hash_set(any::<u64>(), 0..3000)) {
            let keys: Vec<u64> = keys.into_iter().collect();
            let numbers = Numbers::new();
            // Few distinct hashes: long probes.
            let hash = |number: u32| mix(keys[number as usize - 1] % 64, 0);
            for number in 1..=keys.len() as u32 {
                prop_assert!(numbers.reserve(1, number, hash));
                numbers.put(hash(number), number);
            }
            for (index, key) in keys.iter().enumerate() {
                let found = numbers.find(mix(key % 64, 0), |n| keys[n as usize - 1] == *key);
                prop_assert_eq!(found, Some(index as u32 + 1));
            }
            prop_assert_eq!(numbers.find(mix(1, 0), |_| false), None);
        }
    }
}
