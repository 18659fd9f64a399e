//! The free list of a slab, for its owner alone: blocks of it that are free, and how blocks that
//! have never had a user get there.

use super::Slab;
use crate::base::sync::Ordering;
use crate::harden::pattern::POISON;
use crate::heap::block::{Block, Secret};
use crate::os::memory::PAGE;
use core::ptr;

/// Larger than the number of blocks that are cut at once.
const PRIMES: [u32; 8] = [257, 263, 269, 271, 277, 281, 283, 293];

impl Slab {
    /// Puts a block on the local list; `true` when that was the last one in use.
    ///
    /// # Safety
    /// The caller is the owner, and `block` is a used block of this slab.
    #[inline(always)]
    pub(in crate::heap) unsafe fn push_local(&self, block: *mut Block, secret: Secret) -> bool {
        // SAFETY: the user has given the block up, so it is ours.
        unsafe {
            Block::set_next(block, self.local_free.get());
            Block::set_key(block, secret);
        }
        self.local_free.set(block);
        let used = self.used.load(Ordering::Relaxed) - 1;
        self.used.store(used, Ordering::Relaxed);
        used == 0
    }

    /// Takes the whole local list; its blocks count as used from here on.
    pub(in crate::heap) fn take_list(&self) -> *mut Block {
        self.used.store(self.capacity() - self.held(), Ordering::Relaxed);
        self.local_free.replace(ptr::null_mut())
    }

    /// Puts blocks that [`Self::take_list`] or [`Self::carve`] gave back on the empty local list.
    pub(in crate::heap) fn give_back(&self, list: *mut Block, count: u32) {
        debug_assert!(self.local_free.get().is_null());
        self.local_free.set(list);
        self.used.store(self.used() - count, Ordering::Relaxed);
    }

    /// Gives the local list up, for its links lead nowhere: its blocks count as used for ever.
    pub(in crate::heap) fn forget_local(&self) {
        self.used.store(self.capacity() - self.held(), Ordering::Relaxed);
        self.local_free.set(ptr::null_mut());
    }

    /// Takes one block off the local list, or null.
    pub(in crate::heap) fn take_one(&self) -> *mut Block {
        let block = self.local_free.get();
        if !block.is_null() {
            // SAFETY: the list is ours and its links were written by `push_local` or `carve`.
            self.local_free.set(unsafe { Block::next(block) });
            self.used.store(self.used() + 1, Ordering::Relaxed);
        }
        block
    }

    /// Cuts more blocks, at most an OS page of them (but one at least), into a list. Touching
    /// memory a page at a time keeps a lean program lean. `random`: the order of the list; zero
    /// stands for that of the addresses.
    pub(in crate::heap) fn carve(&self, secret: Secret, random: u64) -> *mut Block {
        let capacity = self.capacity();
        let page_of_blocks = (PAGE as u32 / self.block_size.get()).max(1);
        let count = (self.reserved() - capacity).min(page_of_blocks);
        let mut list = ptr::null_mut();
        // A step that is no multiple of any divisor of the count comes by each block once.
        let step = match random {
            0 => 1,
            _ => PRIMES[(random >> 32) as usize % PRIMES.len()] % count.max(1),
        };
        let mut place = if random == 0 { 0 } else { random as u32 % count.max(1) };
        for _ in 0..count {
            // From the last of the list to the first.
            place = if place < step { place + count - step } else { place - step };
            let index = capacity + place;
            let block = self.block(index).cast::<Block>();
            if self.is_carved_poisoned() {
                // SAFETY: as below.
                unsafe { block.cast::<u8>().write_bytes(POISON, self.block_size()) };
            }
            // SAFETY: the block lies in our committed span and has never had a user.
            unsafe {
                Block::set_next(block, list);
                Block::set_key(block, secret);
            }
            list = block;
        }
        self.capacity.store(capacity + count, Ordering::Relaxed);
        self.used.store(self.used() + count, Ordering::Relaxed);
        list
    }

    /// Whether what is cut is poisoned: it may wait. Where a page holds but one it does not.
    pub(in crate::heap) fn is_carved_poisoned(&self) -> bool {
        self.held() > 0 && self.block_size() <= PAGE / 2
    }

    /// Whether there is a first block of the local list, and to take it leaves the slab with room.
    #[inline(always)]
    pub(in crate::heap) fn can_spare(&self) -> bool {
        let block = self.local_free.get();
        if block.is_null() {
            return false;
        }
        // SAFETY: the list is ours and its links were written by `push_local` or `carve`.
        let is_last = unsafe { Block::next(block) }.is_null();
        !is_last || self.capacity() != self.reserved()
    }

    /// Takes the first block of the local list, which is `block`.
    #[inline(always)]
    pub(in crate::heap) fn take_first(&self, block: *mut Block) {
        debug_assert_eq!(self.first_local(), block);
        // SAFETY: as in `can_spare`.
        self.local_free.set(unsafe { Block::next(block) });
        self.used.store(self.used() + 1, Ordering::Relaxed);
    }

    pub(in crate::heap) fn has_local(&self) -> bool {
        !self.local_free.get().is_null()
    }

    /// Blocks on the local list.
    #[inline(always)]
    pub(in crate::heap) fn local_count(&self) -> u32 {
        self.capacity() - self.held() - self.used()
    }

    /// Whether a block can be had without another thread's help.
    pub(in crate::heap) fn has_room(&self) -> bool {
        self.has_local() || self.capacity() < self.reserved()
    }

    #[inline(always)]
    pub(in crate::heap) fn first_local(&self) -> *mut Block {
        self.local_free.get()
    }
}
