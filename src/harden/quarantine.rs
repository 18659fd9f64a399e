//! Freed blocks that nobody reuses for a while: what the program still does to them can be seen.
//!
//! A few shelves with a lock each, chosen by thread, so that threads seldom meet; each is a ring,
//! the longest freed first. All shelves together hold so many bytes, and each so many blocks. A
//! block that leaves goes to whoever put the one in that took its place.

use crate::base::sync::{AtomicUsize, Ordering};
use crate::mem::prefetch::prefetch;
use crate::os::lock::Lock;
use crate::os::memory;
use core::cell::UnsafeCell;
use core::ptr::{self, NonNull};

/// A block in quarantine, and what was known of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grave {
    pub(crate) start: *mut u8,
    /// Bytes that were asked for.
    pub(crate) size: usize,
    /// Bytes of its memory, which are poisoned.
    pub(crate) len: usize,
    /// Number of the site that allocated it, and of the stack that freed it.
    pub(crate) allocated: u32,
    pub(crate) freed: u32,
    /// Kernel ids of the threads that did.
    pub(crate) allocator: u32,
    pub(crate) freer: u32,
}

#[cfg(test)]
impl Grave {
    pub(crate) const NONE: Self = Self {
        start: ptr::null_mut(),
        size: 0,
        len: 0,
        allocated: 0,
        freed: 0,
        allocator: 0,
        freer: 0,
    };
}

const SHELVES: usize = 8;
/// Of so many of the longest freed one leaves, drawn at random, where there is a random number.
const LOTTERY: usize = 16;
/// Blocks of a shelf, at most.
const RING: usize = 1 << 16;

/// The quarantine. See the module.
#[derive(Debug)]
pub(crate) struct Quarantine {
    shelves: [Shelf; SHELVES],
    /// Bytes of the blocks on each shelf; written by whoever holds its lock.
    bytes: [AtomicUsize; SHELVES],
    bytes_max: AtomicUsize,
}

#[derive(Debug)]
struct Shelf {
    lock: Lock,
    ring: UnsafeCell<Ring>,
}

// SAFETY: the ring is reached only under the lock.
unsafe impl Sync for Shelf {}

/// What happens at a shelf.
struct Turn {
    leaves: Option<Grave>,
    /// Another one must go.
    is_too_much: bool,
}

impl Turn {
    const OVER: Self = Self { leaves: None, is_too_much: false };
}

/// Invariant: `graves` is null, or [`RING`] graves, of which those from `first` on, `count` of them
/// and round the end, are written.
#[derive(Debug)]
struct Ring {
    graves: *mut Grave,
    first: usize,
    count: usize,
}

impl Quarantine {
    pub(crate) const fn new() -> Self {
        Self {
            shelves: [const { Shelf::new() }; SHELVES],
            bytes: [const { AtomicUsize::new(0) }; SHELVES],
            bytes_max: AtomicUsize::new(0),
        }
    }

    /// Sets how many bytes are kept, at most.
    pub(crate) fn set_bytes_max(&self, bytes: usize) {
        self.bytes_max.store(bytes, Ordering::Relaxed);
    }

    /// Puts a block in; `leave` gets those that must go for it. `thread` chooses the shelf, and
    /// `random`, if it is not zero, which of the longest freed goes first.
    #[inline(always)]
    pub(crate) fn bury(
        &self,
        thread: u32,
        random: u64,
        grave: Grave,
        mut leave: impl FnMut(Grave),
    ) {
        let number = thread as usize % SHELVES;
        // A block as large as that would drive all others out, and have to go itself.
        if grave.len >= self.bytes_max.load(Ordering::Relaxed) {
            return leave(grave);
        }
        let Some(mut turn) = self.push(number, random, grave) else { return leave(grave) };
        while let Some(oldest) = turn.leaves {
            leave(oldest);
            if !turn.is_too_much {
                break;
            }
            turn = self.pop(number, random);
        }
    }

    /// Puts a block on a shelf. `None`: it cannot be put there.
    #[inline(always)]
    fn push(&self, number: usize, random: u64, grave: Grave) -> Option<Turn> {
        // `None`: a signal handler frees a block on top of this.
        let _lock = self.shelves[number].lock.acquire()?;
        // SAFETY: the lock is held.
        let ring = unsafe { &mut *self.shelves[number].ring.get() };
        if !ring.reserve() {
            return None;
        }
        let crowded = if ring.count == RING { ring.pop(random) } else { None };
        ring.push(grave);
        self.add(number, grave.len);
        Some(match crowded {
            Some(oldest) => self.leaving(number, oldest),
            None if self.is_too_much() => self.pop_held(number, ring, random),
            None => Turn::OVER,
        })
    }

    #[inline(never)]
    fn pop(&self, number: usize, random: u64) -> Turn {
        let Some(_lock) = self.shelves[number].lock.acquire() else { return Turn::OVER };
        // SAFETY: the lock is held.
        self.pop_held(number, unsafe { &mut *self.shelves[number].ring.get() }, random)
    }

    #[inline(always)]
    fn pop_held(&self, number: usize, ring: &mut Ring, random: u64) -> Turn {
        let oldest = ring.pop(random);
        oldest.map_or(Turn::OVER, |oldest| self.leaving(number, oldest))
    }

    #[inline(always)]
    fn leaving(&self, number: usize, oldest: Grave) -> Turn {
        self.add(number, oldest.len.wrapping_neg());
        Turn { leaves: Some(oldest), is_too_much: self.is_too_much() }
    }

    /// Adds to the bytes of a shelf, whose lock is held.
    #[inline(always)]
    fn add(&self, number: usize, bytes: usize) {
        let sum = &self.bytes[number];
        sum.store(sum.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
    }

    #[inline(always)]
    fn is_too_much(&self) -> bool {
        let bytes = self
            .bytes
            .iter()
            .fold(0_usize, |sum, shelf| sum.wrapping_add(shelf.load(Ordering::Relaxed)));
        bytes > self.bytes_max.load(Ordering::Relaxed)
    }

    /// The grave of the block that holds `address`, the last one if there are several.
    pub(crate) fn find(&self, address: *const u8) -> Option<Grave> {
        let mut found = None;
        self.for_each(|grave| {
            let offset = (address as usize).wrapping_sub(grave.start as usize);
            if offset < grave.len {
                found = Some(*grave);
            }
        });
        found
    }

    /// Visits every block; `visit` must not free any. Shelves whose lock the caller holds, in a
    /// signal handler on top of this, are passed over.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(&Grave)) {
        for shelf in &self.shelves {
            let Some(_lock) = shelf.lock.acquire() else { continue };
            // SAFETY: the lock is held.
            unsafe { &*shelf.ring.get() }.for_each(&mut visit);
        }
    }

    /// In the child of a fork: a shelf that another thread was at is left behind, with its blocks.
    pub(crate) fn forked(&self) {
        for (shelf, bytes) in self.shelves.iter().zip(&self.bytes) {
            if shelf.lock.is_anothers() {
                shelf.lock.forget();
                bytes.store(0, Ordering::Relaxed);
                // SAFETY: the process has one thread, and it is not at the shelf.
                unsafe { *shelf.ring.get() = Ring::new() };
            }
        }
    }
}

impl Shelf {
    const fn new() -> Self {
        Self { lock: Lock::new(), ring: UnsafeCell::new(Ring::new()) }
    }
}

impl Ring {
    const fn new() -> Self {
        Self { graves: ptr::null_mut(), first: 0, count: 0 }
    }

    /// Makes sure that there is memory for graves.
    fn reserve(&mut self) -> bool {
        if self.graves.is_null() {
            let memory = memory::map_zeroed(RING * size_of::<Grave>());
            self.graves = memory.map_or(ptr::null_mut(), NonNull::as_ptr).cast();
        }
        !self.graves.is_null()
    }

    /// Adds a grave. There is memory, and room.
    #[inline(always)]
    fn push(&mut self, grave: Grave) {
        debug_assert!(self.count < RING);
        // SAFETY: the invariant: the place is one of the `RING`.
        unsafe { self.graves.add((self.first + self.count) % RING).write(grave) };
        self.count += 1;
    }

    #[inline(always)]
    fn pop(&mut self, random: u64) -> Option<Grave> {
        if self.count == 0 {
            return None;
        }
        if self.count > LOTTERY {
            // It may be drawn next, and nobody has looked at it for long.
            // SAFETY: the invariant: the place is written.
            let soon = unsafe { &*self.graves.add((self.first + LOTTERY) % RING) };
            prefetch(soon.start as usize);
            prefetch(soon.start as usize + soon.len - 1);
        }
        let drawn = (self.first + random as usize % self.count.min(LOTTERY)) % RING;
        // SAFETY: the invariant: both places are written.
        let grave = unsafe {
            self.graves.add(self.first).swap(self.graves.add(drawn));
            self.graves.add(self.first).read()
        };
        self.first = (self.first + 1) % RING;
        self.count -= 1;
        Some(grave)
    }

    fn for_each(&self, visit: &mut impl FnMut(&Grave)) {
        for index in 0..self.count {
            // SAFETY: the invariant: the place is written.
            visit(unsafe { &*self.graves.add((self.first + index) % RING) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    fn grave(number: usize, len: usize) -> Grave {
        let start = ptr::without_provenance_mut(number << 12);
        Grave { start, size: len, len, allocated: 0, freed: 0, allocator: 1, freer: 1 }
    }

    fn bury(quarantine: &Quarantine, grave: Grave) -> Vec<usize> {
        let mut left = Vec::new();
        quarantine.bury(1, 0, grave, |grave| left.push(grave.start as usize >> 12));
        left
    }

    #[test]
    fn the_longest_freed_leave_when_the_bytes_are_too_many() {
        let quarantine = Quarantine::new();
        quarantine.set_bytes_max(1000);
        assert!(bury(&quarantine, grave(1, 400)).is_empty());
        assert!(bury(&quarantine, grave(2, 400)).is_empty());
        assert_eq!(bury(&quarantine, grave(3, 600)), [1]);
        assert_eq!(bury(&quarantine, grave(4, 1000)), [4], "as large as all of it");
        assert_eq!(bury(&quarantine, grave(5, 900)), [2, 3]);
        let inside = ptr::without_provenance(5 << 12 | 899);
        assert_eq!(quarantine.find(inside).map(|grave| grave.len), Some(900));
        assert!(quarantine.find(inside.wrapping_add(1)).is_none());
    }

    #[test]
    fn a_full_ring_gives_its_oldest() {
        let quarantine = Quarantine::new();
        quarantine.set_bytes_max(usize::MAX);
        for number in 0..RING {
            assert!(bury(&quarantine, grave(number, 1)).is_empty());
        }
        assert_eq!(bury(&quarantine, grave(RING, 1)), [0]);
        let mut count = 0;
        quarantine.for_each(|_| count += 1);
        assert_eq!(count, RING);
    }
}
