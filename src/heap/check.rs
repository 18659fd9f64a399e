//! The whole-heap checker: does everything agree with everything? For tests, and for a program
//! that suspects its heap. No other thread may be using the heap meanwhile.

use super::block::Block;
use super::class::{CLASS_COUNT, ClassId};
use super::engine::Engine;
use super::local::{LocalHeap, State};
use super::observe::Observer;
use super::slab::{Kind, Slab};
use crate::base::sync::Ordering;

impl<O: Observer> Engine<O> {
    /// The number of contradictions found; zero for a sound heap.
    pub(crate) fn check(&self) -> usize {
        let mut errors = self.space.check();
        self.space.for_each_span(|span| {
            if span.kind() == Kind::Slab {
                errors += self.check_slab(span);
            }
        });
        self.for_each_heap(|heap| errors += self.check_heap(heap));
        errors
    }

    fn check_slab(&self, slab: &Slab) -> usize {
        let (capacity, reserved, used) = (slab.capacity(), slab.reserved(), slab.used());
        let listed =
            self.count_list(slab.first_local(), capacity, |block| self.is_block_of(slab, block));
        // A thread that did not survive a fork may have been between two instructions of a free.
        let slack = u32::from(self.is_torn.load(Ordering::Relaxed));
        let is_full = listed == Some(0) && capacity == reserved;
        let is_sampled =
            slab.is_tracked() && reserved as usize == slab.class().sampled_slab_blocks();
        [
            capacity > reserved,
            listed.is_none_or(|listed| (used + listed).abs_diff(capacity - slab.held()) > slack),
            slab.is_full() && !is_full,
            slab.is_full() && slab.queued.get(),
            slab.owner_token() == 0,
            reserved as usize != slab.class().slab_blocks() && !is_sampled,
            slab.usable_size() != slab.class().block_size(),
        ]
        .into_iter()
        .map(usize::from)
        .sum()
    }

    fn check_heap(&self, heap: &LocalHeap) -> usize {
        if heap.state() == State::Lost {
            return 0;
        }
        let mut errors = 0;
        for class in (0..CLASS_COUNT).map(ClassId::from_index) {
            let ready = self.count_list(heap.first_ready(class), u32::MAX, |block| {
                self.slab_of(block).is_some_and(|slab| {
                    slab.class() == class
                        && slab.owner_token() == heap.token()
                        && self.is_block_of(slab, block)
                })
            });
            errors += usize::from(ready.is_none());
            heap.queue(class).for_each(|slab| {
                errors += usize::from(slab.class() != class);
                errors += usize::from(slab.owner_token() != heap.token());
                errors += usize::from(!slab.has_room() || slab.is_full());
            });
        }
        errors
    }

    fn slab_of(&self, block: *mut Block) -> Option<&Slab> {
        self.space.span_of(block.cast()).filter(|slab| slab.kind() == Kind::Slab)
    }

    fn is_block_of(&self, slab: &Slab, block: *mut Block) -> bool {
        let address = block.cast::<u8>();
        let Some(offset) = (address as usize).checked_sub(slab.start() as usize) else {
            return false;
        };
        offset < slab.len() && {
            let index = slab.index_in(offset);
            index < slab.capacity()
                && slab.block(index) == address
                // SAFETY: a carved block of a living slab.
                && unsafe { Block::is_free(block, self.space.secret()) }
        }
    }

    /// Length of a list whose blocks all pass; `None` when one does not, or it is too long.
    fn count_list(
        &self,
        mut block: *mut Block,
        most: u32,
        passes: impl Fn(*mut Block) -> bool,
    ) -> Option<u32> {
        let mut count = 0;
        while !block.is_null() {
            if count == most || !passes(block) {
                return None;
            }
            count += 1;
            // SAFETY: the block passed, so it is a free block and its link is readable.
            block = unsafe { Block::next(block) };
        }
        Some(count)
    }
}
