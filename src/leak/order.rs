//! The blocks of a level, brought roughly into the order of their addresses.
//!
//! A wide level is a random walk over the whole heap: each block is on another page, and finding
//! out where a page is costs more than reading it. Sorted by where their spans are, the blocks of a
//! page are looked into one after the other.

use super::mark::Found;
use super::scratch::{NoMemory, Vector};

/// See the module.
#[derive(Debug)]
pub(super) struct Order {
    /// Spans have their numbers by address; so many low bits of it are left out.
    shift: u32,
    /// For each bucket where its next block goes.
    places: Vector<u32>,
    sorted: Vector<Found>,
}

/// Most blocks that are sorted at once, so that the copy stays small.
pub(super) const CHUNK: usize = 1 << 20;
/// Fewer than these are left as they are.
const WORTH: usize = 1 << 12;
const BUCKETS_LOG: u32 = 12;

impl Order {
    /// For a heap of so many spans.
    pub(super) fn new(spans: usize) -> Self {
        let shift = (usize::BITS - spans.leading_zeros()).saturating_sub(BUCKETS_LOG);
        Self { shift, places: Vector::new(), sorted: Vector::new() }
    }

    /// The blocks in a better order. At most [`CHUNK`] of them.
    pub(super) fn arrange<'a>(&'a mut self, blocks: &'a [Found]) -> Result<&'a [Found], NoMemory> {
        if blocks.len() < WORTH {
            return Ok(blocks);
        }
        if self.sorted.is_empty() {
            self.places = Vector::zeroed((1 << BUCKETS_LOG) + 1)?;
            self.sorted = Vector::zeroed(CHUNK)?;
        }
        let shift = self.shift;
        let bucket = |block: &Found| (block.span >> shift) as usize;
        self.places.fill(0);
        blocks.iter().for_each(|block| self.places[bucket(block) + 1] += 1);
        let mut sum = 0;
        for place in self.places.iter_mut() {
            sum += *place;
            *place = sum;
        }
        for block in blocks {
            let place = &mut self.places[bucket(block)];
            self.sorted[*place as usize] = *block;
            *place += 1;
        }
        Ok(&self.sorted[..blocks.len()])
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
        fn all_are_kept_and_neighbours_brought_together(
            spans in 1u32..100_000,
            numbers in proptest::collection::vec(any::<u32>(), 0..3 * WORTH),
        ) {
            let found = |(index, span)| Found { span: span % spans, index, holder: 0 };
            let blocks: Vec<_> = (0..).zip(numbers).map(found).collect();
            let mut order = Order::new(spans as usize);
            // The second time, nothing of the first is left.
            for blocks in [&blocks[..], &blocks[blocks.len() / 4..]] {
                let arranged = order.arrange(blocks).unwrap();
                if blocks.len() >= WORTH {
                    let steps = spans.div_ceil(1 << (BUCKETS_LOG - 1));
                    let is_ordered = |pair: &[Found]| pair[0].span < pair[1].span + steps;
                    prop_assert!(arranged.windows(2).all(is_ordered));
                }
                let mut all: Vec<_> = arranged.iter().map(|block| block.index).collect();
                all.sort_unstable();
                prop_assert!(all.into_iter().eq(blocks.iter().map(|block| block.index)));
            }
        }
    }
}
