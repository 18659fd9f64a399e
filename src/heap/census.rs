//! Counting the heap: a walk over all spans, and the sums that `mallinfo` and its kin ask for.

use super::block::Block;
use super::class::{CLASS_COUNT, ClassId};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::Observer;
use super::slab::Kind;
use super::space::Footprint;

/// Sums over the whole heap, in bytes unless they say otherwise.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Census {
    /// Blocks in use, rounded to their class. Blocks that other threads hold ready count as used.
    pub(crate) used: usize,
    /// Number of blocks in use.
    pub(crate) blocks: usize,
    /// Bytes of slabs that no block uses.
    pub(crate) slack: usize,
    /// Large blocks.
    pub(crate) large: usize,
    /// Number of large blocks.
    pub(crate) large_blocks: usize,
    /// The engine's own records, and slabs of what is never observed.
    pub(crate) records: usize,
    /// The spans below it all.
    pub(crate) footprint: Footprint,
}

impl<O: Observer> Engine<O> {
    /// Takes the census. `heap` is the caller's: its ready blocks are known to be free.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn census(&self, heap: &LocalHeap) -> Census {
        let mut sum = Census::default();
        self.space.for_each_span(|span| match span.kind() {
            Kind::Slab if self.private.owns(span) => sum.records += span.len(),
            Kind::Slab => {
                let used = span.used() as usize;
                sum.blocks += used;
                sum.used += used * span.usable_size();
                sum.slack += span.len() - used * span.usable_size();
            }
            Kind::Large => {
                sum.large_blocks += 1;
                sum.large += span.usable_size();
            }
            Kind::Records => sum.records += span.len(),
            Kind::Free => {}
        });
        for class in (0..CLASS_COUNT).map(ClassId::from_index) {
            let mut block = heap.first_ready(class);
            while !block.is_null() {
                sum.blocks = sum.blocks.saturating_sub(1);
                sum.used = sum.used.saturating_sub(class.block_size());
                sum.slack += class.block_size();
                // SAFETY: the ready list is the caller's.
                block = unsafe { Block::next(block) };
            }
        }
        sum.footprint = self.space.footprint();
        sum.records += sum.footprint.records;
        sum
    }
}
