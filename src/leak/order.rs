//! The blocks of a level, brought into the order of their addresses.
//!
//! A wide level is a random walk over the whole heap: each block is on another page, and finding
//! out where a page is costs more than reading it. Blocks are numbered by address: a bit for each
//! of a level, and reading the bits sorts them.

use super::scratch::{Bits, NoMemory};

/// See the module.
#[derive(Debug)]
pub(super) struct Order {
    bits: Option<Bits>,
    /// There are so many numbers.
    numbers: usize,
}

/// Fewer than these are left as they are,
const WORTH: usize = if cfg!(test) { 8 } else { 1 << 12 };
/// and so are they if only one of so many numbers is among them: all bits have to be read.
const SPARSE: usize = 1 << 10;

/// Whether sorting a level is worth while.
pub(super) fn is_worth_it(level: usize, numbers: usize) -> bool {
    level >= WORTH.max(numbers / SPARSE)
}

impl Order {
    /// For blocks with numbers below this.
    pub(super) fn new(numbers: usize) -> Self {
        Self { bits: None, numbers }
    }

    /// Sorts the numbers, each of which is there once, if that is worth while.
    pub(super) fn arrange(&mut self, level: &mut [u32]) -> Result<(), NoMemory> {
        if !is_worth_it(level.len(), self.numbers) {
            return Ok(());
        }
        let bits = match &mut self.bits {
            Some(bits) => bits,
            none => none.insert(Bits::zeroed(self.numbers)?),
        };
        level.iter().for_each(|number| bits.set(*number as usize));
        for (place, number) in level.iter_mut().zip(bits.ones(0, self.numbers)) {
            *place = number as u32;
        }
        bits.wipe();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    proptest! {
        #![proptest_config(ProptestConfig { cases: 32, ..ProptestConfig::default() })]

        #[test]
        fn what_is_worth_it_is_sorted(
            numbers in proptest::collection::hash_set(0u32..1 << 12, 0..5 * WORTH),
        ) {
            let level: Vec<_> = numbers.into_iter().collect();
            let mut order = Order::new(1 << 12);
            // The second time, nothing of the first is left.
            for level in [&level[..], &level[level.len() / 8..]] {
                let (mut arranged, mut sorted) = (level.to_vec(), level.to_vec());
                order.arrange(&mut arranged).unwrap();
                if level.len() >= WORTH {
                    sorted.sort_unstable();
                }
                prop_assert!(arranged == sorted);
            }
        }
    }
}
