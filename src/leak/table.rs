//! A hash table in scratch memory: it gives each key a number, in the order of their coming.

use super::scratch::{NoMemory, Vector};

pub(crate) type Key = [u64; 2];

/// See the module.
#[derive(Debug)]
pub(crate) struct Table {
    keys: Vector<Key>,
    /// Numbers plus one, at the place that the key's hash says or the next free one behind it. A
    /// power of two of them, never more than half full.
    slots: Vector<u32>,
}

const FIRST: usize = 256;

impl Table {
    pub(crate) const fn new() -> Self {
        Self { keys: Vector::new(), slots: Vector::new() }
    }

    /// The keys, by number.
    pub(crate) fn keys(&self) -> &[Key] {
        &self.keys
    }

    /// The key's number, if it has one.
    pub(crate) fn find(&self, key: Key) -> Option<usize> {
        if self.slots.is_empty() {
            return None;
        }
        let slot = self.slots[self.slot_of(key)];
        (slot as usize).checked_sub(1)
    }

    /// The key's number, and whether it is new.
    pub(crate) fn number(&mut self, key: Key) -> Result<(usize, bool), NoMemory> {
        if 2 * self.keys.len() >= self.slots.len() {
            self.grow()?;
        }
        let slot = self.slot_of(key);
        if let Some(number) = (self.slots[slot] as usize).checked_sub(1) {
            return Ok((number, false));
        }
        self.keys.push(key)?;
        let number = self.keys.len();
        self.slots[slot] = u32::try_from(number).map_err(|_| NoMemory)?;
        Ok((number - 1, true))
    }

    /// Where the key is, or belongs.
    fn slot_of(&self, key: Key) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = hash(key) & mask;
        loop {
            match (self.slots[slot] as usize).checked_sub(1) {
                Some(number) if self.keys[number] != key => slot = (slot + 1) & mask,
                _ => return slot,
            }
        }
    }

    fn grow(&mut self) -> Result<(), NoMemory> {
        self.slots = Vector::zeroed((2 * self.slots.len()).max(FIRST))?;
        for number in 0..self.keys.len() {
            let slot = self.slot_of(self.keys[number]);
            self.slots[slot] = number as u32 + 1;
        }
        Ok(())
    }
}

fn hash(key: Key) -> usize {
    let product = u128::from(key[0] ^ 0x9e37_79b9_7f4a_7c15)
        .wrapping_mul(u128::from(key[1].wrapping_add(key[0].rotate_left(32)) | 1 << 63));
    let mixed = (product as u64 ^ (product >> 64) as u64).wrapping_mul(0xd6e8_feb8_6659_fd93);
    (mixed ^ (mixed >> 32)) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    proptest! {
        #[test]
        fn behaves_like_a_map(keys in proptest::collection::vec((0u64..40, 0u64..40), 0..900)) {
            let (mut table, mut model) = (Table::new(), HashMap::new());
            for (a, b) in keys {
                let next = model.len();
                prop_assert_eq!(table.find([a, b]), model.get(&(a, b)).copied());
                let is_new = !model.contains_key(&(a, b));
                let number = *model.entry((a, b)).or_insert(next);
                prop_assert_eq!(table.number([a, b]), Ok((number, is_new)));
                prop_assert_eq!(table.keys()[number], [a, b]);
            }
            prop_assert_eq!(table.keys().len(), model.len());
        }
    }
}
