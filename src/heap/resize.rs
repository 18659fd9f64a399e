//! Resizing a block: in place when its class still fits, by taking the slices behind a large block,
//! by moving its pages, and only then by copying.

use super::alloc::Request;
use super::class::{BLOCK_SIZE_MAX, SLICE};
use super::engine::Engine;
use super::local::LocalHeap;
use super::locate::Misuse;
use super::observe::{Observer, Slot};
use super::slab::{Kind, Slab};
use crate::base::arith::checked_round_up;
use crate::os::memory::{self, PAGE};
use core::ptr::{self, NonNull};

/// From this many bytes on, moving pages is cheaper than copying into pages that have yet to be
/// faulted in (measured: 36 µs against 5 µs at 64 KiB; remapping costs the mapping count, though).
const MOVE_MIN: usize = 512 << 10;

impl<O: Observer> Engine<O> {
    /// Makes the block at `address` hold `request.size` bytes, wherever it then is. Null when
    /// memory ran out: the block is as it was.
    pub(crate) fn reallocate(
        &self,
        heap: &LocalHeap,
        address: *mut u8,
        request: Request,
    ) -> Result<*mut u8, Misuse> {
        let slot = self.slot_at(address)?;
        let is_aligned = address as usize & (request.align - 1) == 0;
        if is_aligned && self.resize_in_place(slot.slab, request.memory()) {
            if slot.slab.is_tracked() {
                self.observe_resize(heap, slot, request);
            }
            return Ok(address);
        }
        self.relocate(heap, slot, address, request)
    }

    /// As [`Self::reallocate`], for a thread without a heap.
    #[cold]
    pub(crate) fn reallocate_late(
        &self,
        address: *mut u8,
        request: Request,
    ) -> Result<*mut u8, Misuse> {
        self.late
            .with(self, |heap| self.reallocate(heap, address, request))
            .unwrap_or(Ok(ptr::null_mut()))
    }

    fn observe_resize(&self, heap: &LocalHeap, slot: Slot<'_>, request: Request) {
        let observed = heap.enter().map(|_busy| {
            self.observer.resized(heap, slot, request.size, request.caller);
        });
        if observed.is_none() {
            self.late.with(self, |heap| {
                self.observer.resized(heap, slot, request.size, request.caller);
            });
        }
    }

    /// Resizes a large block where it is. `false`: nothing was done.
    pub(crate) fn resize_large_in_place(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        request: Request,
    ) -> bool {
        let is_resized = self.resize_in_place(slot.slab, request.memory());
        if is_resized && slot.slab.is_tracked() {
            self.observe_resize(heap, slot, request);
        }
        is_resized
    }

    fn resize_in_place(&self, slab: &Slab, size: usize) -> bool {
        match slab.kind() {
            Kind::Slab => {
                let is_kept = slab.keeps(size);
                if is_kept && !slab.serves(size) {
                    slab.set_resized();
                }
                is_kept
            }
            Kind::Large => size > BLOCK_SIZE_MAX && self.resize_large(slab, size),
            Kind::Free | Kind::Records => false,
        }
    }

    fn resize_large(&self, slab: &Slab, size: usize) -> bool {
        // With a guard behind it a block has no room to grow into.
        if slab.is_walled() {
            return false;
        }
        let Some(size) = checked_round_up(size, PAGE) else { return false };
        let (slices, wanted) = (slab.slices(), (slab.lead() + size).div_ceil(SLICE));
        if wanted > slices && !self.space.extend(slab, wanted) {
            return false;
        }
        if wanted < slices {
            self.space.shorten(slab, wanted);
        }
        slab.set_large_size(size);
        true
    }

    fn relocate(
        &self,
        heap: &LocalHeap,
        slot: Slot<'_>,
        address: *mut u8,
        request: Request,
    ) -> Result<*mut u8, Misuse> {
        let plain = Request { zero: false, ..request };
        // What Heapsight itself lets grow is not the program's.
        let new = match heap.is_observing() {
            true => self.allocate_private(plain),
            false => self.allocate(heap, plain),
        };
        if new.is_null() {
            return Ok(new);
        }
        let len = slot.slab.usable_size().min(request.size);
        if !self.move_large(slot.slab, new, len) {
            // SAFETY: both blocks are in use, distinct, and hold `len` bytes.
            unsafe {
                match self.memory() {
                    Some(routines) => _ = routines.copy(new, address, len),
                    None => ptr::copy_nonoverlapping(address, new, len),
                }
            }
        }
        self.observe_move(heap, new);
        self.free_slot(heap, slot, address)?;
        Ok(new)
    }

    pub(crate) fn observe_move(&self, heap: &LocalHeap, new: *mut u8) {
        if self.plain_slab_at(new).is_some() {
            return;
        }
        let slot = self.slot_of(new).filter(|slot| slot.slab.is_tracked());
        if let Some((slot, _busy)) = slot.zip(heap.enter()) {
            self.observer.moved(heap, slot);
        }
    }

    /// Moves the pages of a large block into another. `false`: nothing was done.
    fn move_large(&self, from: &Slab, to: *mut u8, len: usize) -> bool {
        let is_worth_it = from.kind() == Kind::Large && !from.is_guarded() && len >= MOVE_MIN;
        if !is_worth_it {
            return false;
        }
        let target = self.space.span_of(to);
        let Some(target) = target.filter(|slab| slab.kind() == Kind::Large && !slab.is_guarded())
        else {
            return false;
        };
        // Whole slices: what is left behind must read as zero up to the end of its last slice.
        let moved = from.len().min(target.len());
        let (Some(start), Some(end)) = (NonNull::new(from.start()), NonNull::new(to)) else {
            return false;
        };
        // SAFETY: both spans are in use by blocks of ours, committed, distinct, and that long.
        if !unsafe { memory::move_pages(start, end, moved) } {
            return false;
        }
        if moved == from.len() {
            self.space.mark_clean(from);
            from.set_large_size(0);
        }
        true
    }
}
