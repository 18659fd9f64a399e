//! What was known of blocks that have left the quarantine: a table by address, the latest wins.
//!
//! A mistake that is made long after a free meets memory that others use by then. The table still
//! tells who had it before.

use super::quarantine::Grave;
use crate::os::lock::Lock;
use crate::os::memory;
use core::cell::UnsafeCell;
use core::ptr;

/// Entries; a power of two.
const ENTRIES: usize = 1 << 18;

/// The table. See the module.
#[derive(Debug)]
pub(crate) struct Archive {
    lock: Lock,
    /// Null, or [`ENTRIES`] graves; those without a length are none.
    graves: UnsafeCell<*mut Grave>,
}

// SAFETY: the graves are reached only under the lock.
unsafe impl Sync for Archive {}

impl Archive {
    pub(crate) const fn new() -> Self {
        Self { lock: Lock::new(), graves: UnsafeCell::new(ptr::null_mut()) }
    }

    /// Remembers a block. Without memory for the table it is forgotten.
    pub(crate) fn remember(&self, grave: Grave) {
        // `None`: a signal handler frees a block on top of this.
        let Some(_lock) = self.lock.acquire() else { return };
        // SAFETY: the lock is held.
        let graves = unsafe { &mut *self.graves.get() };
        if graves.is_null() {
            let Some(memory) = memory::map_zeroed(ENTRIES * size_of::<Grave>()) else { return };
            *graves = memory.as_ptr().cast();
        }
        // SAFETY: the place is one of the table's.
        unsafe { graves.add(Self::place(grave.start)).write(grave) };
    }

    /// The block that began at `address` and was freed last.
    pub(crate) fn find(&self, address: *const u8) -> Option<Grave> {
        let _lock = self.lock.acquire()?;
        // SAFETY: the lock is held.
        let graves = unsafe { *self.graves.get() };
        if graves.is_null() {
            return None;
        }
        // SAFETY: all-zero is a grave, and the place one of the table's.
        let grave = unsafe { graves.add(Self::place(address)).read() };
        (grave.len > 0 && grave.start.cast_const() == address).then_some(grave)
    }

    /// In the child of a fork: an entry that another thread was writing stays as it is.
    pub(crate) fn forked(&self) {
        if self.lock.is_anothers() {
            self.lock.forget();
        }
    }

    fn place(address: *const u8) -> usize {
        (address as usize >> 3).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (usize::BITS - 18)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_block_of_an_address_is_remembered() {
        let archive = Archive::new();
        let start = ptr::without_provenance_mut(0x1000);
        assert!(archive.find(start).is_none());
        for size in [8, 24] {
            archive.remember(Grave { start, size, len: 32, ..Grave::NONE });
        }
        assert_eq!(archive.find(start).map(|grave| grave.size), Some(24));
        assert!(archive.find(start.wrapping_add(1)).is_none());
    }
}
