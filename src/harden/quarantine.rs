//! Freed blocks that nobody reuses for a while: what the program still does to them can be seen.
//!
//! A few shelves with a lock each, chosen by thread, so that threads seldom meet; each is a ring,
//! the longest freed first. All shelves together hold so many bytes, and each so many blocks. A
//! block that leaves goes to whoever put the one in that took its place. A ring is as long as it
//! has to be: all of it passes through the processor's cache over and over. Of long blocks so many
//! bytes are few, and soon their addresses are others': of each shelf some wait in any case.

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
/// Blocks of a shelf, at most, and what there is room for at first.
const RING_MAX: usize = 1 << 16;
const RING_MIN: usize = 1 << 9;
/// How many bytes may be kept for the sake of blocks that wait where the bytes are too many.
const KEPT_BYTES_MAX: usize = 16 << 20;

/// The quarantine. See the module.
#[derive(Debug)]
pub(crate) struct Quarantine {
    shelves: [Shelf; SHELVES],
    /// Bytes of the blocks on each shelf; written by whoever holds its lock.
    bytes: [AtomicUsize; SHELVES],
    bytes_max: AtomicUsize,
    /// Blocks of a shelf that wait even where the bytes are too many.
    kept: usize,
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

/// Invariant: there is room for `room` graves, zero or a power of two, of which those from `first`
/// on, `count` of them and round the end, are written.
#[derive(Debug)]
struct Ring {
    graves: *mut Grave,
    room: usize,
    first: usize,
    count: usize,
}

impl Quarantine {
    /// One whose shelves keep so many blocks even where their bytes are too many.
    pub(crate) const fn new(kept: usize) -> Self {
        Self {
            shelves: [const { Shelf::new() }; SHELVES],
            bytes: [const { AtomicUsize::new(0) }; SHELVES],
            bytes_max: AtomicUsize::new(0),
            kept,
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
        let is_full = ring.count == ring.room && !ring.lengthen();
        let crowded = if is_full { Some(ring.pop(random)?) } else { None };
        ring.push(grave);
        self.add(number, grave.len);
        let bytes = self.bytes();
        Some(match crowded {
            Some(oldest) => self.leaving(number, ring, oldest, bytes),
            None if self.is_too_much(ring, bytes) => self.pop_held(number, ring, random, bytes),
            None => Turn::OVER,
        })
    }

    #[inline(never)]
    fn pop(&self, number: usize, random: u64) -> Turn {
        let Some(_lock) = self.shelves[number].lock.acquire() else { return Turn::OVER };
        // SAFETY: the lock is held.
        let ring = unsafe { &mut *self.shelves[number].ring.get() };
        self.pop_held(number, ring, random, self.bytes())
    }

    #[inline(always)]
    fn pop_held(&self, number: usize, ring: &mut Ring, random: u64, bytes: usize) -> Turn {
        let oldest = ring.pop(random);
        oldest.map_or(Turn::OVER, |oldest| self.leaving(number, ring, oldest, bytes))
    }

    #[inline(always)]
    fn leaving(&self, number: usize, ring: &Ring, oldest: Grave, bytes: usize) -> Turn {
        self.add(number, oldest.len.wrapping_neg());
        let is_too_much = self.is_too_much(ring, bytes.saturating_sub(oldest.len));
        Turn { leaves: Some(oldest), is_too_much }
    }

    /// Adds to the bytes of a shelf, whose lock is held.
    #[inline(always)]
    fn add(&self, number: usize, bytes: usize) {
        let sum = &self.bytes[number];
        sum.store(sum.load(Ordering::Relaxed).wrapping_add(bytes), Ordering::Relaxed);
    }

    /// The bytes on all shelves.
    #[inline(always)]
    fn bytes(&self) -> usize {
        let sums = self.bytes.iter().map(|shelf| shelf.load(Ordering::Relaxed));
        sums.fold(0, usize::wrapping_add)
    }

    /// Whether a block of this shelf must go, of `bytes` in all.
    #[inline(always)]
    fn is_too_much(&self, ring: &Ring, bytes: usize) -> bool {
        let max = self.bytes_max.load(Ordering::Relaxed);
        bytes > max && (ring.count > self.kept || bytes > max.max(KEPT_BYTES_MAX))
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
        Self { graves: ptr::null_mut(), room: 0, first: 0, count: 0 }
    }

    /// Makes room for more graves; `false`: it is as long as it may be, or memory ran out.
    #[cold]
    #[inline(never)]
    fn lengthen(&mut self) -> bool {
        let room = (2 * self.room).max(RING_MIN);
        if room > RING_MAX {
            return false;
        }
        let Some(memory) = memory::map_zeroed(room * size_of::<Grave>()) else { return false };
        let graves = memory.cast::<Grave>().as_ptr();
        for index in 0..self.count {
            // SAFETY: the invariant: the place is written; the new ones are more.
            unsafe { graves.add(index).write(*self.place(index)) };
        }
        if let Some(old) = NonNull::new(self.graves) {
            // SAFETY: mapped here, so long, and nobody else's: whoever comes to it has the lock.
            unsafe { memory::release(old.cast(), self.room * size_of::<Grave>()) };
        }
        *self = Self { graves, room, first: 0, count: self.count };
        true
    }

    /// The place of number `index`, counted from the longest freed. There is room.
    #[inline(always)]
    fn place(&self, index: usize) -> *mut Grave {
        debug_assert!(self.room.is_power_of_two());
        self.graves.wrapping_add((self.first + index) & (self.room - 1))
    }

    /// Adds a grave. There is memory, and room.
    #[inline(always)]
    fn push(&mut self, grave: Grave) {
        debug_assert!(self.count < self.room);
        // SAFETY: the invariant: there is such a place.
        unsafe { self.place(self.count).write(grave) };
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
            let soon = unsafe { &*self.place(LOTTERY) };
            prefetch(soon.start as usize);
            prefetch(soon.start as usize + soon.len - 1);
        }
        let drawn = self.place(random as usize % self.count.min(LOTTERY));
        // SAFETY: the invariant: both places are written.
        let grave = unsafe {
            self.place(0).swap(drawn);
            self.place(0).read()
        };
        self.first = (self.first + 1) & (self.room - 1);
        self.count -= 1;
        Some(grave)
    }

    fn for_each(&self, visit: &mut impl FnMut(&Grave)) {
        for index in 0..self.count {
            // SAFETY: the invariant: the place is written.
            visit(unsafe { &*self.place(index) });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    const MIB: usize = 1 << 20;

    fn grave(number: usize, len: usize) -> Grave {
        let start = ptr::without_provenance_mut(number << 32);
        Grave { start, size: len, len, allocated: 0, freed: 0, allocator: 1, freer: 1 }
    }

    fn bury(quarantine: &Quarantine, grave: Grave) -> Vec<usize> {
        let mut left = Vec::new();
        quarantine.bury(1, 0, grave, |grave| left.push(grave.start as usize >> 32));
        left
    }

    #[test]
    fn the_longest_freed_leave_when_the_bytes_are_too_many() {
        let quarantine = Quarantine::new(0);
        quarantine.set_bytes_max(100 * MIB);
        assert!(bury(&quarantine, grave(1, 40 * MIB)).is_empty());
        assert!(bury(&quarantine, grave(2, 40 * MIB)).is_empty());
        assert_eq!(bury(&quarantine, grave(3, 60 * MIB)), [1]);
        assert_eq!(bury(&quarantine, grave(4, 100 * MIB)), [4], "as large as all of it");
        assert_eq!(bury(&quarantine, grave(5, 90 * MIB)), [2, 3]);
        let inside = ptr::without_provenance((5 << 32) + 90 * MIB - 1);
        assert_eq!(quarantine.find(inside).map(|grave| grave.len), Some(90 * MIB));
        assert!(quarantine.find(inside.wrapping_add(1)).is_none());
    }

    #[test]
    fn some_long_blocks_wait_although_their_bytes_are_too_many() {
        // How many blocks of a length wait.
        for (len, kept) in [(64, MIB / 64), (100_000, 128), (MIB / 2, KEPT_BYTES_MAX / (MIB / 2))] {
            let quarantine = Quarantine::new(128);
            quarantine.set_bytes_max(MIB);
            for number in 0..kept {
                assert!(bury(&quarantine, grave(number, len)).is_empty(), "{len}: {number}");
            }
            for number in 0..kept {
                assert_eq!(bury(&quarantine, grave(kept + number, len)), [number], "{len}");
            }
        }
    }

    #[test]
    fn a_full_ring_gives_its_oldest() {
        let quarantine = Quarantine::new(0);
        quarantine.set_bytes_max(usize::MAX);
        for number in 0..RING_MAX {
            assert!(bury(&quarantine, grave(number, 1)).is_empty());
        }
        assert_eq!(bury(&quarantine, grave(RING_MAX, 1)), [0]);
        let mut count = 0;
        quarantine.for_each(|_| count += 1);
        assert_eq!(count, RING_MAX);
    }

    #[test]
    fn a_ring_that_grows_keeps_the_order() {
        let quarantine = Quarantine::new(0);
        let (mut expected, mut next) = (0, 0);
        // The ring is begun in the middle whenever it grows.
        for room in [RING_MIN / 2, RING_MIN + RING_MIN / 2, 5 * RING_MIN] {
            quarantine.set_bytes_max(room);
            for _ in 0..3 * room {
                for left in bury(&quarantine, grave(next, 1)) {
                    assert_eq!(left, expected);
                    expected += 1;
                }
                next += 1;
            }
            assert_eq!(next - expected, room);
        }
    }
}
