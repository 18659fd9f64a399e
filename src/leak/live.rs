//! Which blocks are in use: asked of all of them, part by part.

use super::holes::Holes;
use super::marks::{ALIGN, Marks};
use super::parts::{self, Part, Parts};
use super::spans::Span;
use crate::heap::frozen::Frozen;
use crate::heap::slab::Slab;
use crate::track::Tracker;

impl Marks {
    /// Finds the blocks in use. `slabs` are the spans.
    pub(super) fn find_live(&mut self, heap: &Frozen<'_, Tracker>, slabs: &[*const Slab]) {
        let parts = Parts::of(&self.spans, self.cells.len());
        let (mut cells, mut live) = (&mut self.cells[..], self.live.words());
        let mut owners = &mut self.owners[..];
        let mut shares = parts.all.map(|part| {
            let words = part.numbers.len() / ALIGN;
            Share {
                cells: cells.split_off_mut(..part.numbers.len()).unwrap_or_default(),
                live: live.split_off_mut(..words).unwrap_or_default(),
                owners: owners.split_off_mut(..words).unwrap_or_default(),
                part,
                count: 0,
            }
        });
        let (spans, holes) = (&self.spans, Holes(&self.holes));
        // SAFETY: the shares have nothing in common that is written; the heap is frozen.
        unsafe {
            parts::each(&mut shares[..parts.used], |share| {
                share.find_live(heap, spans, slabs, holes);
            });
        }
        self.count = shares.iter().map(|share| share.count).sum();
    }
}

/// A part of the blocks, while those in use are found.
struct Share<'m> {
    part: Part,
    cells: &'m mut [usize],
    live: &'m mut [u64],
    owners: &'m mut [u32],
    /// How many are in use.
    count: usize,
}

impl Share<'_> {
    fn find_live(
        &mut self,
        heap: &Frozen<'_, Tracker>,
        spans: &[Span],
        slabs: &[*const Slab],
        holes: Holes<'_>,
    ) {
        for number in self.part.spans.clone() {
            let (span, slab) = (&spans[number], slabs[number]);
            let first = span.first - self.part.numbers.start;
            let words = first / ALIGN..(first + span.capacity as usize).div_ceil(ALIGN);
            self.owners[words].fill(number as u32);
            for index in 0..span.capacity {
                let is_live = match span.is_tracked() {
                    true => span.record(index).is_some(),
                    // What cannot be read is not free: the heap would have done so.
                    false => {
                        // SAFETY: a span of the heap, which is frozen.
                        let slab = unsafe { &*slab };
                        holes.hold(span.block(index)) || heap.is_in_use(slab, index)
                    }
                };
                if is_live {
                    let at = first + index as usize;
                    self.live[at / ALIGN] |= 1 << (at % ALIGN);
                    self.cells[at] = span.size(index);
                    self.count += 1;
                }
            }
        }
    }
}
