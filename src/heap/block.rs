//! A free block: two words of the memory that the user has given back.
//!
//! ```text
//!   block + 0   next free block of the same list, or null
//!   block + 8   key = address ^ secret      (zero once handed out)
//! ```
//!
//! The key is how a second `free` of the same block is recognised without a table: handing a block
//! out clears the word, freeing writes it, and no other code can compute it. So `key present` means
//! `already free`, for every block of 16 bytes or more, until the block is handed out again.

use super::remote::Chain;
use crate::base::sync::{AtomicUsize, Ordering};
use core::ptr;

/// The address of a block of at least 16 bytes, 8-aligned, in a slab.
#[repr(C)]
#[derive(Debug)]
pub(crate) struct Block {
    next: *mut Block,
    key: usize,
}

/// The process's secret for [`Block`] keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Secret(pub(super) usize);

impl Block {
    /// # Safety
    /// `block` is free and on a list that the caller owns.
    #[inline(always)]
    pub(crate) unsafe fn next(block: *mut Self) -> *mut Self {
        // SAFETY: the caller's.
        unsafe { (*block).next }
    }

    /// # Safety
    /// `block` is free and the caller owns it.
    #[inline(always)]
    pub(crate) unsafe fn set_next(block: *mut Self, next: *mut Self) {
        // SAFETY: the caller's.
        unsafe { (*block).next = next }
    }

    /// Marks the block as handed out.
    ///
    /// # Safety
    /// The caller owns the block.
    #[inline(always)]
    pub(crate) unsafe fn clear_key(block: *mut Self) {
        // SAFETY: the caller's.
        unsafe { (*block).key = 0 }
    }

    /// Marks the block as handed out, and forgets its link: to a search for pointers the link would
    /// make one block hold the next.
    ///
    /// # Safety
    /// The caller owns the block.
    #[inline(always)]
    pub(super) unsafe fn clear(block: *mut Self) {
        // SAFETY: the caller's.
        unsafe { *block = Self { next: ptr::null_mut(), key: 0 } }
    }

    /// Marks the block as handed out, and forgets all that was in it: whatever the program's last
    /// block here had pointed to would seem to be held by the next one, until it is written to.
    ///
    /// # Safety
    /// The caller owns the block, and it is `len` bytes long.
    #[inline(always)]
    pub(super) unsafe fn wipe(block: *mut Self, len: usize) {
        if len <= Self::SHORT {
            // SAFETY: the caller's.
            unsafe { Self::wipe_short(block, len) };
        } else {
            // SAFETY: the caller's.
            unsafe { block.cast::<u8>().write_bytes(0, len) };
        }
    }

    /// What is wiped without a call.
    pub(super) const SHORT: usize = 8 * size_of::<Self>();

    /// As [`Self::wipe`], of at most [`Self::SHORT`] bytes.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(super) unsafe fn wipe_short(block: *mut Self, len: usize) {
        let start = block.cast::<u8>();
        // A call costs more than clearing what most blocks are. Stores may overlap.
        for unit in [1, 2, 4] {
            let half = unit * size_of::<Self>();
            if len <= 2 * half {
                for at in 0..unit {
                    let at = at * size_of::<Self>();
                    // SAFETY: the caller's: both pairs of words end within `len` bytes, of which
                    // there are more than a smaller unit holds.
                    unsafe {
                        start.add(at).cast::<[usize; 2]>().write_unaligned([0; 2]);
                        start.add(len - half + at).cast::<[usize; 2]>().write_unaligned([0; 2]);
                    }
                }
                return;
            }
        }
    }

    /// Marks the block as free.
    ///
    /// # Safety
    /// The caller owns the block.
    #[inline(always)]
    pub(crate) unsafe fn set_key(block: *mut Self, secret: Secret) {
        // SAFETY: the caller's.
        unsafe { (*block).key = secret.0 ^ block as usize }
    }

    /// Whether the block is on some free list.
    ///
    /// # Safety
    /// `block` is the start of a block of a living slab. Another thread may be writing the word:
    /// that is a program error under way, so the read is atomic and either answer is fair.
    #[inline(always)]
    pub(crate) unsafe fn is_free(block: *const Self, secret: Secret) -> bool {
        // SAFETY: the word is in the block; atomic because of the race above.
        let key = unsafe { AtomicUsize::from_ptr((&raw const (*block).key).cast_mut()) };
        key.load(Ordering::Relaxed) == secret.0 ^ block as usize
    }
}

impl Chain for Block {
    #[inline(always)]
    unsafe fn set_next(node: *mut Self, next: *mut Self) {
        // SAFETY: the caller's.
        unsafe { Self::set_next(node, next) }
    }
}
