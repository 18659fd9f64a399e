//! The allocation paths: fast, and the first step of the cold one.
//!
//! The fast path takes the head of the thread's ready list for the class: 16 instructions, six
//! loads, two stores through the C face; less where a constant layout fixes the class.

use super::class::{ALIGN_MIN, ClassId, SMALL_MAX};
use super::engine::Engine;
use super::guarded::Guard;
use super::local::LocalHeap;
use super::observe::{Observer, Seen, Slot};
use super::slab::Slab;
use super::tracked::Handed;
use crate::harden::family::Family;
use crate::unwind::Registers;
use core::ptr;

/// What a caller wants.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request {
    pub(crate) size: usize,
    /// A power of two.
    pub(crate) align: usize,
    pub(crate) zero: bool,
    /// Bytes behind the block's own that must be there, and that its user may not use.
    pub(crate) redzone: usize,
    pub(crate) guard: Guard,
    pub(crate) family: Family,
    /// Who asks.
    pub(crate) caller: Registers,
}

/// What a cold path got.
#[derive(Clone, Copy, Debug)]
pub(super) struct Taken<'a> {
    pub(super) slab: &'a Slab,
    pub(super) address: *mut u8,
    /// Zero behind the two link words.
    pub(super) zeroed: bool,
}

impl Request {
    #[inline]
    pub(crate) const fn new(size: usize, align: usize, caller: Registers) -> Self {
        Self { size, align, zero: false, redzone: 0, guard: Guard::None, family: Family::C, caller }
    }

    /// A request of the C face.
    #[inline]
    pub(crate) const fn plain(size: usize, caller: Registers) -> Self {
        Self::new(size, ALIGN_MIN, caller)
    }

    #[inline]
    pub(crate) const fn zeroed(self) -> Self {
        Self { zero: true, ..self }
    }

    #[inline]
    pub(crate) const fn of(self, family: Family) -> Self {
        Self { family, ..self }
    }

    /// Bytes of memory.
    #[inline]
    pub(super) const fn memory(&self) -> usize {
        self.size.saturating_add(self.redzone)
    }

    #[inline]
    fn class(&self) -> Option<ClassId> {
        ClassId::for_layout(self.memory(), self.align)
    }
}

impl LocalHeap {
    /// The fast path of `malloc`: a block of at least `size` bytes, or null for the cold one.
    #[inline(always)]
    pub(crate) fn allocate_fast(&self, size: usize) -> *mut u8 {
        if size <= SMALL_MAX { self.pop(ClassId::for_small(size)) } else { ptr::null_mut() }
    }
}

impl<O: Observer> Engine<O> {
    /// Serves any request; null when memory ran out. `heap` is the calling thread's own, or a
    /// shared one whose lock it holds.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(crate) fn allocate(&self, heap: &LocalHeap, request: Request) -> *mut u8 {
        match request.class() {
            Some(class) if !request.guard.is_for_all() => self.allocate_block(heap, class, request),
            _ => self.allocate_large(heap, request),
        }
    }

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn allocate_block(&self, heap: &LocalHeap, class: ClassId, request: Request) -> *mut u8 {
        let zeroed = heap.is_ready_zeroed(class);
        let address = heap.pop(class);
        if !address.is_null() {
            if request.zero {
                // SAFETY: the block is ours and of that class.
                unsafe { self.zero_block(address, request.size, zeroed) };
            }
            return address;
        }
        if heap.is_busy() {
            return self.allocate_late(request);
        }
        // Blocks of a tracked heap are not on its ready list.
        if request.zero && request.redzone == 0 {
            let Request { size, caller, .. } = request;
            let Handed { block, seen } = self.allocate_tracked(heap, class, size, caller);
            if !block.is_null() {
                return block;
            }
            if seen != Seen::NOWHERE {
                return self.allocate_special(heap, class, size, caller, seen);
            }
        }
        let Some(taken) = self.refill(heap, class, &request) else { return ptr::null_mut() };
        let is_tracked = taken.slab.is_tracked();
        // What a search for leaks will read starts empty: see `Block::wipe`. There is none among
        // samples, the tracked blocks of a heap that is not.
        let is_searched = is_tracked && heap.is_tracked();
        if is_searched || request.zero {
            let len = if is_searched { taken.slab.usable_size() } else { request.size };
            // SAFETY: as above.
            unsafe { self.zero_block(taken.address, len, taken.zeroed) };
        }
        if is_tracked {
            self.observe(heap, taken, request);
            self.tell_picked(heap, taken, &request);
        }
        taken.address
    }

    #[inline]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn observe(&self, heap: &LocalHeap, taken: Taken<'_>, request: Request) {
        let offset = taken.address as usize - taken.slab.start() as usize;
        let slot = Slot { slab: taken.slab, index: taken.slab.index_in(offset) };
        // The busy mark keeps a signal handler, on top of us, out of the observer's counters.
        if let Some(_busy) = heap.enter() {
            self.observer.allocated(heap, slot, request.size, request.caller);
        }
    }

    /// From the heap that is nobody's, under its lock; null when that is not to be had either.
    #[cold]
    pub(crate) fn allocate_late(&self, request: Request) -> *mut u8 {
        let served = self.late.with(self, |heap| self.allocate(heap, request));
        served.unwrap_or(ptr::null_mut())
    }

    /// From the heap that is never observed.
    #[cold]
    pub(crate) fn allocate_private(&self, request: Request) -> *mut u8 {
        let served = self.private.with(self, |heap| self.allocate(heap, request));
        served.unwrap_or(ptr::null_mut())
    }

    /// Makes the first `size` bytes of a block zero.
    ///
    /// # Safety
    /// The block is the caller's, of at least 16 bytes, and holds `size`.
    pub(super) unsafe fn zero_block(&self, address: *mut u8, size: usize, zeroed: bool) {
        let len = if zeroed { size.min(2 * size_of::<usize>()) } else { size };
        // SAFETY: the caller's.
        unsafe { self.zero(address, len) };
    }

    /// Makes memory zero.
    ///
    /// # Safety
    /// The memory is the caller's.
    #[inline]
    pub(super) unsafe fn zero(&self, start: *mut u8, len: usize) {
        // SAFETY: the caller's.
        unsafe {
            match self.memory() {
                Some(routines) => _ = routines.set(start, 0, len),
                None => start.write_bytes(0, len),
            }
        }
    }
}
