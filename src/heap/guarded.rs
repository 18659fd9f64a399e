//! Blocks beside pages that nobody can touch: a step over the edge faults at the instruction.
//!
//! ```text
//!   span │ front │ .......[block] │ wall │      Guard::Right: the block ends where the wall begins
//!        │ front │ [block]....... │ wall │      Guard::Left
//!        │ front │ [block]...............       Guard::Front, for large blocks: they grow in place
//!        │ front │ wall │                       a block of no bytes begins where the wall does
//! ```
//!
//! A guarded block is a large block whatever its size, so all that can be asked of one can be asked
//! of the other. Front and wall are inaccessible; a block that is *sealed off* is so as a whole,
//! and its memory has gone back to the system. All of it is open again when the span is given back.

use super::alloc::{Request, Taken};
use super::class::{ALIGN_MIN, BLOCK_SIZE_MAX, SLICE};
use super::engine::Engine;
use super::local::LocalHeap;
use super::observe::Observer;
use super::refill::of_whole_slabs;
use super::slab::Slab;
use super::zones::Purpose;
use crate::base::arith::checked_round_up;
use crate::harden::family::Family;
use crate::os::memory::{self, PAGE};
use core::ptr::{self, NonNull};

/// On which side of a block its guard is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guard {
    /// There is none.
    None,
    /// Before large blocks.
    Front,
    /// The block ends at the wall, as nearly as its alignment allows.
    Right,
    /// As `Right`, but C's and C++'s blocks may be aligned to nothing.
    Exact,
    /// The block begins at the front.
    Left,
}

impl Guard {
    /// Whether small blocks get one, too.
    pub(super) const fn is_for_all(self) -> bool {
        !matches!(self, Self::None | Self::Front)
    }
}

/// Where everything is in a guarded block's span.
#[derive(Clone, Copy, Debug)]
pub(super) struct Frame {
    /// Bytes of the front.
    front: usize,
    /// Bytes between front and wall.
    data: usize,
    /// Where the block begins.
    lead: u32,
    has_wall: bool,
}

impl Frame {
    /// `None`: no guard is wanted, or the block is too large for one.
    pub(super) fn of(request: Request) -> Option<Self> {
        let has_wall = request.guard.is_for_all();
        if request.guard == Guard::None || !has_wall && request.memory() <= BLOCK_SIZE_MAX {
            return None;
        }
        let front = request.align.max(PAGE);
        // A block of no bytes lies between its guards: there is nothing to touch.
        let memory = if request.size == 0 { 0 } else { request.memory() };
        let data = checked_round_up(memory, front)?;
        let is_loose = request.align <= ALIGN_MIN && request.family != Family::Rust;
        let lead = match request.guard {
            Guard::Exact if is_loose => front + data - memory,
            Guard::Right | Guard::Exact => front + data - checked_round_up(memory, request.align)?,
            Guard::None | Guard::Front | Guard::Left => front,
        };
        Some(Self { front, data, lead: u32::try_from(lead).ok()?, has_wall })
    }

    /// Whether the block begins in the span's first slice, whose record says that it is guarded.
    pub(super) const fn is_near(&self) -> bool {
        (self.lead as usize) < SLICE
    }

    /// Bytes up to the wall.
    const fn end(&self) -> usize {
        self.front + self.data
    }
}

impl<O: Observer> Engine<O> {
    /// A guarded block; null when memory, or the number of mappings, ran out.
    #[cold]
    pub(super) fn allocate_guarded(
        &self,
        heap: &LocalHeap,
        request: Request,
        frame: Frame,
    ) -> *mut u8 {
        if heap.is_busy() {
            return self.allocate_late(request);
        }
        self.follow_mode_of(heap);
        let Some(taken) = self.take_guarded(heap, request, frame, None) else {
            return ptr::null_mut();
        };
        if taken.slab.is_tracked() {
            self.observe(heap, taken, request);
        }
        taken.address
    }

    /// A guarded block that nobody has been told of. `drawn`: as a sample of so many bytes.
    pub(super) fn take_guarded(
        &self,
        heap: &LocalHeap,
        request: Request,
        frame: Frame,
        drawn: Option<usize>,
    ) -> Option<Taken<'_>> {
        let wall = if frame.has_wall { PAGE } else { 0 };
        let slices = (frame.end() + wall).div_ceil(SLICE);
        let purpose = Purpose::of(of_whole_slabs(heap));
        let align = (request.align / SLICE).max(1);
        let (slab, clean) = self.space.allocate(slices, align, purpose)?;
        if !clean {
            self.clear(slab, frame);
        }
        if !Self::guard(slab, frame) {
            if Self::open(slab) {
                self.space.free(slab, 0);
            }
            return None;
        }
        let usable = frame.end() - frame.lead as usize;
        // In a heap that records not all, those are recorded that the observer has picked.
        slab.become_large(usable, frame.lead, heap.is_tracked() || heap.sample_left().is_some());
        slab.set_walled(frame.has_wall);
        if slab.is_tracked() {
            self.observer.slab_born(slab, self.column_memory(), drawn);
        }
        Some(Taken { slab, address: slab.block(0), zeroed: true })
    }

    /// Empties what the block's pages have of their last users.
    fn clear(&self, slab: &Slab, frame: Frame) {
        let first = slab.start().wrapping_add(frame.front) as usize;
        self.space.for_each_dirty(slab, |start, len| {
            let from = (start as usize).max(first);
            let to = (start as usize + len).min(first + frame.data);
            if from < to {
                let start = start.wrapping_add(from - start as usize);
                // SAFETY: part of the span, which is ours and committed.
                unsafe { start.write_bytes(0, to - from) };
            }
        });
    }

    /// Makes front and wall inaccessible. `false`: the system refused.
    fn guard(slab: &Slab, frame: Frame) -> bool {
        let wall = if frame.has_wall { frame.end() } else { slab.len() };
        [(0, frame.front), (wall, slab.len() - wall)].into_iter().all(|(from, len)| {
            let start = NonNull::new(slab.start().wrapping_add(from));
            // SAFETY: pages of the span, which is ours, and holds nothing there.
            len == 0 || start.is_some_and(|start| unsafe { memory::protect(start, len) })
        })
    }

    fn open(slab: &Slab) -> bool {
        let start = NonNull::new(slab.start());
        // SAFETY: the span is ours, and lies in one reservation.
        start.is_some_and(|start| unsafe { memory::commit(start, slab.len()) })
    }

    /// Makes a guarded block inaccessible as a whole, and gives its memory back. `false`: the
    /// system refused.
    ///
    /// # Safety
    /// The block's user has given it up.
    pub(crate) unsafe fn seal_off(&self, slab: &Slab) -> bool {
        let Some(start) = NonNull::new(slab.start()) else { return false };
        // SAFETY: the caller's; pages that cannot be given back are still out of reach.
        unsafe {
            let _is_given_back = memory::purge(start, slab.len());
            memory::protect(start, slab.len())
        }
    }

    /// Makes a sealed block accessible again, so that a program can go on after a report.
    pub(crate) fn unseal(&self, slab: &Slab) -> bool {
        Self::open(slab)
    }

    /// Opens the span of a guarded block that nobody uses any more, without its content. `false`:
    /// the system refused, and the span is lost.
    pub(super) fn unguard(&self, slab: &Slab) -> bool {
        let Some(start) = NonNull::new(slab.start()) else { return false };
        // SAFETY: nobody uses the block any more.
        let is_empty = unsafe { memory::purge(start, slab.len()) };
        is_empty && Self::open(slab)
    }
}
