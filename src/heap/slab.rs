//! The slab record: all the engine knows of a span, outside of the span.
//!
//! Every slice of a region has a 128-byte record, found from any address in it by arithmetic. Only
//! the record of a span's first slice is used. Line 0 holds what a local free touches.
//!
//! What holds of a slab between two operations of its owner:
//!
//! ```text
//!   capacity  ≤ reserved                blocks carved so far ≤ blocks that fit
//!   used      = capacity − held − |local_free|
//!                                       blocks with users, on the heap's fast list, or in an inbox
//!   FULL      ⇒ local_free empty and capacity = reserved, and the slab is in no queue
//!   ¬FULL     ⇒ the slab is in its heap's queue for the class, or parked (other tracking mode)
//! ```

mod lists;

use super::block::Block;
use super::class::{ClassId, SLICE};
use super::local::LocalHeap;
use super::observe::Wanted;
use crate::base::arith::Divisor;
use crate::base::sync::{AtomicBool, AtomicPtr, AtomicU8, AtomicU32, AtomicUsize, Ordering};
use core::cell::Cell;
use core::ptr;

/// What a span is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// In no use; zero, so that fresh metadata says so.
    Free = 0,
    /// Cut into blocks of one size class.
    Slab = 1,
    /// One large block.
    Large = 2,
    /// The engine's own records: heaps, side columns.
    Records = 3,
}

/// The record. All-zero is a valid, free one.
#[repr(C, align(128))]
#[derive(Debug)]
pub(crate) struct Slab {
    /// Address of the owning heap, plus flags; zero unless this is a slab.
    owner: AtomicUsize,
    local_free: Cell<*mut Block>,
    divisor: Cell<Divisor>,
    used: AtomicU32,
    capacity: AtomicU32,
    reserved: Cell<u32>,
    block_size: Cell<u32>,
    kind: AtomicU8,
    class: Cell<u8>,
    /// Carved blocks are still zero behind their two link words.
    pub(super) zeroed: Cell<bool>,
    pub(super) queued: Cell<bool>,
    slices: AtomicU32,
    start: Cell<*mut u8>,
    /// How many sizes, down from the block size, its class serves.
    spread: Cell<u32>,
    /// A block has been made so much smaller, where it is, that its size is another class's.
    resized: AtomicBool,

    // Line 1: queues, the span directory, the observer.
    pub(super) next: Cell<*const Slab>,
    pub(super) prev: Cell<*const Slab>,
    side: AtomicPtr<u8>,
    /// Usable bytes of a large block.
    size: AtomicUsize,
    /// When the span was freed, in milliseconds; of a slab, the tick of its heap when it was
    /// emptied, or was filled by a single block.
    pub(super) stamp: Cell<u32>,
    pub(super) dirty: Cell<bool>,
    /// Bytes of the span before its first block: a guard, or nothing.
    lead: Cell<u32>,
    /// Behind a large block is a guard, so that it cannot grow.
    walled: Cell<bool>,
    /// Blocks at its start that are never handed out, so that there is something before the first:
    /// one, or none.
    held: Cell<u8>,
}

const _: () = assert!(size_of::<Slab>() == 128);

const FLAGS: usize = 63;

impl Slab {
    /// Bit of the owner word: every block is handed out; the next local free must requeue the slab.
    pub(super) const FULL: usize = 1;
    /// Bit of the owner word: the observer wants to hear of every free.
    pub(super) const TRACKED: usize = 2;

    /// Makes a free span's record that of an empty slab of `class` owned by `heap`.
    /// `watched`: which of its blocks the observer is to hear of.
    pub(super) fn become_slab(
        &self,
        class: ClassId,
        heap: &LocalHeap,
        zeroed: bool,
        watched: Wanted,
    ) {
        let blocks = match watched {
            Wanted::Samples => class.sampled_slab_blocks(),
            Wanted::None | Wanted::All => class.slab_blocks(),
        };
        let block_size = class.block_size() as u32;
        self.local_free.set(ptr::null_mut());
        self.divisor.set(Divisor::new(block_size));
        self.used.store(0, Ordering::Relaxed);
        self.capacity.store(0, Ordering::Relaxed);
        self.reserved.set(blocks as u32);
        self.block_size.set(block_size);
        self.class.set(class.index() as u8);
        self.spread.set(class.spread() as u32);
        self.resized.store(false, Ordering::Relaxed);
        self.lead.set(0);
        self.held.set(0);
        self.zeroed.set(zeroed);
        self.queued.set(false);
        self.side.store(ptr::null_mut(), Ordering::Relaxed);
        let flag = if watched == Wanted::None { 0 } else { Self::TRACKED };
        self.owner.store(heap.token() | flag, Ordering::Relaxed);
        self.kind.store(Kind::Slab as u8, Ordering::Release);
    }

    /// Makes a free span's record that of a large block of `size` usable bytes, `lead` bytes into
    /// the span; with a lead there is a guard.
    pub(super) fn become_large(&self, size: usize, lead: u32, tracked: bool) {
        self.lead.set(lead);
        self.walled.set(false);
        self.held.set(0);
        self.owner.store(if tracked { Self::TRACKED } else { 0 }, Ordering::Relaxed);
        self.capacity.store(1, Ordering::Relaxed);
        self.used.store(1, Ordering::Relaxed);
        self.reserved.set(1);
        self.size.store(size, Ordering::Relaxed);
        self.side.store(ptr::null_mut(), Ordering::Relaxed);
        self.kind.store(Kind::Large as u8, Ordering::Release);
    }

    /// Makes the record that of a span without a use, or of the engine's own.
    pub(super) fn become_plain(&self, kind: Kind) {
        debug_assert!(matches!(kind, Kind::Free | Kind::Records));
        self.owner.store(0, Ordering::Relaxed);
        self.kind.store(kind as u8, Ordering::Release);
    }

    pub(crate) fn kind(&self) -> Kind {
        match self.kind.load(Ordering::Acquire) {
            1 => Kind::Slab,
            2 => Kind::Large,
            3 => Kind::Records,
            _ => Kind::Free,
        }
    }

    // --- The span ---

    pub(super) fn set_span(&self, start: *mut u8, slices: usize) {
        self.start.set(start);
        self.slices.store(slices as u32, Ordering::Relaxed);
    }

    /// First byte of the span.
    #[inline]
    pub(crate) fn start(&self) -> *mut u8 {
        self.start.get()
    }

    /// Bytes before the first block, which nobody can read or write.
    #[inline]
    pub(crate) fn lead(&self) -> usize {
        self.lead.get() as usize
    }

    /// Whether the span holds one block between guards.
    #[inline]
    pub(crate) fn is_guarded(&self) -> bool {
        self.kind() == Kind::Large && self.lead.get() != 0
    }

    pub(super) fn set_walled(&self, is_walled: bool) {
        self.walled.set(is_walled);
    }

    pub(super) fn is_walled(&self) -> bool {
        self.walled.get()
    }

    /// Never hands the first block of this slab, an empty one, out.
    pub(super) fn hold_first(&self) {
        self.held.set(1);
        self.capacity.store(1, Ordering::Relaxed);
    }

    /// How many blocks at the start are never handed out.
    #[inline]
    pub(crate) fn held(&self) -> u32 {
        u32::from(self.held.get())
    }

    /// Slices of the span.
    #[inline]
    pub(crate) fn slices(&self) -> usize {
        self.slices.load(Ordering::Relaxed) as usize
    }

    /// Bytes of the span.
    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.slices() * SLICE
    }

    // --- The blocks ---

    pub(crate) fn class(&self) -> ClassId {
        ClassId::from_index(self.class.get() as usize)
    }

    /// Bytes of each block of a slab.
    #[inline(always)]
    pub(super) fn block_size(&self) -> usize {
        self.block_size.get() as usize
    }

    /// Whether a request of `size` bytes, of an alignment that all blocks have, is one for this
    /// slab's class. Of layouts that a finer class would serve, it says yes.
    #[inline(always)]
    pub(crate) fn serves(&self, size: usize) -> bool {
        self.block_size().wrapping_sub(size) < self.spread.get() as usize
    }

    pub(super) fn is_resized(&self) -> bool {
        self.resized.load(Ordering::Relaxed)
    }

    /// A block of the slab now has a size that [`Self::serves`] denies.
    pub(super) fn set_resized(&self) {
        self.resized.store(true, Ordering::Relaxed);
    }

    /// Usable bytes of each block.
    #[inline]
    pub(crate) fn usable_size(&self) -> usize {
        match self.kind() {
            Kind::Large => self.size.load(Ordering::Relaxed),
            _ => self.block_size.get() as usize,
        }
    }

    pub(super) fn set_large_size(&self, size: usize) {
        self.size.store(size, Ordering::Relaxed);
    }

    /// Blocks carved so far; the ones above have never had a user.
    #[inline]
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity.load(Ordering::Relaxed)
    }

    /// Most blocks the slab can hold.
    #[inline]
    pub(crate) fn reserved(&self) -> u32 {
        self.reserved.get()
    }

    /// Blocks that are not on the slab's own list.
    #[inline]
    pub(crate) fn used(&self) -> u32 {
        self.used.load(Ordering::Relaxed)
    }

    /// Whether `offset`, in bytes from the slab's start, is where a block starts. Cheap enough for
    /// every free: one multiplication.
    #[inline(always)]
    pub(super) fn is_block_start(&self, offset: u32) -> bool {
        self.divisor.get().divides(offset)
    }

    /// Whether a block starts there that was carved: one that may have a user. As cheap: the index
    /// is the other half of the same product.
    #[inline(always)]
    pub(super) fn is_carved_start(&self, offset: u32) -> bool {
        self.block_at(offset).is_some_and(|index| index < self.capacity())
    }

    /// Which block starts at `offset`, if one does.
    #[inline(always)]
    pub(super) fn block_at(&self, offset: u32) -> Option<u32> {
        self.divisor.get().exact_quotient(offset)
    }

    /// Which block holds the byte at `offset`.
    #[inline]
    pub(crate) fn index_of(&self, offset: u32) -> u32 {
        self.divisor.get().quotient(offset)
    }

    /// Address of block `index`.
    #[inline]
    pub(crate) fn block(&self, index: u32) -> *mut u8 {
        debug_assert!(index < self.reserved());
        let offset = match self.kind() {
            Kind::Large => self.lead(),
            _ => index as usize * self.block_size.get() as usize,
        };
        self.start().wrapping_add(offset)
    }

    // --- The owner ---

    #[inline(always)]
    pub(super) fn owner_word(&self) -> usize {
        self.owner.load(Ordering::Relaxed)
    }

    /// The heap that owns the slab. It may change while we look, but a heap's record lives for
    /// ever and forwards what reaches it late.
    #[inline]
    pub(super) fn owner_token(&self) -> usize {
        self.owner_word() & !FLAGS
    }

    pub(super) fn set_owner(&self, heap: &LocalHeap) {
        let flags = self.owner_word() & FLAGS;
        self.owner.store(heap.token() | flags, Ordering::Relaxed);
    }

    #[inline]
    pub(crate) fn is_tracked(&self) -> bool {
        self.owner_word() & Self::TRACKED != 0
    }

    pub(super) fn is_full(&self) -> bool {
        self.owner_word() & Self::FULL != 0
    }

    pub(super) fn set_full(&self, full: bool) {
        let word = self.owner_word();
        self.owner
            .store(if full { word | Self::FULL } else { word & !Self::FULL }, Ordering::Relaxed);
    }

    /// The observer's column for this slab; null when there is none.
    #[inline]
    pub(crate) fn side(&self) -> *mut u8 {
        self.side.load(Ordering::Acquire)
    }

    /// Attaches the observer's column.
    pub(crate) fn set_side(&self, side: *mut u8) {
        self.side.store(side, Ordering::Release);
    }

    /// Bytes from the start of the span that may have been written.
    pub(super) fn touched_len(&self) -> usize {
        match self.kind() {
            Kind::Slab => self.capacity() as usize * self.block_size.get() as usize,
            Kind::Large => self.lead() + self.usable_size(),
            _ => self.len(),
        }
    }
}
