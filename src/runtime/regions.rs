//! Memory that the program has registered as a root: `__lsan_register_root_region`.
//!
//! The table takes no lock, so that a check finds it whole wherever it has stopped the other
//! threads, and so does the child of a fork. An entry is claimed, filled, and then published by its
//! start address; while it is not published it is nobody's root. That address stands there with all
//! its bits turned over: to a search for leaks it is no pointer, and holds no block.

use crate::base::sync::{AtomicPtr, AtomicUsize, Ordering};
use crate::os::memory;
use core::iter;
use core::ptr;

/// In place of a start address: nothing is here. No region starts at the last address.
const FREE: usize = 0;
/// Somebody is about to write the entry, or to take it out.
const CLAIMED: usize = 1;

/// What stands for a start address, and the other way round.
const fn hidden(start: usize) -> usize {
    !start
}

/// A region, once what stands for its start is neither [`FREE`] nor [`CLAIMED`].
#[derive(Debug)]
struct Entry {
    start: AtomicUsize,
    len: AtomicUsize,
}

/// A piece of the table, of a page. All zero: empty, and the last.
#[derive(Debug)]
#[repr(C)]
struct Piece {
    next: AtomicPtr<Piece>,
    entries: [Entry; ENTRIES],
}

const ENTRIES: usize = (memory::PAGE - size_of::<usize>()) / size_of::<Entry>();

impl Entry {
    const fn new() -> Self {
        Self { start: AtomicUsize::new(FREE), len: AtomicUsize::new(0) }
    }
}

impl Piece {
    const fn new() -> Self {
        Self { next: AtomicPtr::new(ptr::null_mut()), entries: [const { Entry::new() }; ENTRIES] }
    }

    fn next(&self) -> Option<&Self> {
        // SAFETY: null or a piece, and pieces are never given back.
        unsafe { self.next.load(Ordering::Acquire).as_ref() }
    }

    /// The next piece, made if there is none. `None`: out of memory.
    fn next_or_new(&self) -> Option<&Self> {
        if self.next().is_none() {
            let fresh = memory::map_zeroed(size_of::<Self>())?;
            let raw = fresh.cast::<Self>().as_ptr();
            let (success, failure) = (Ordering::Release, Ordering::Relaxed);
            if self.next.compare_exchange(ptr::null_mut(), raw, success, failure).is_err() {
                // SAFETY: another thread was faster, and nobody has seen ours.
                unsafe { memory::release(fresh, size_of::<Self>()) };
            }
        }
        self.next()
    }
}

/// The table.
#[derive(Debug)]
pub(crate) struct Regions(Piece);

/// The regions of the process.
pub(crate) static REGIONS: Regions = Regions::new();

impl Regions {
    const fn new() -> Self {
        Self(Piece::new())
    }

    /// Adds a region; one that is there already counts twice. `false`: out of memory.
    pub(crate) fn register(&self, start: usize, len: usize) -> bool {
        if hidden(start) <= CLAIMED || len == 0 {
            return true;
        }
        let mut piece = &self.0;
        loop {
            if piece.entries.iter().any(|entry| entry.fill(start, len)) {
                return true;
            }
            match piece.next_or_new() {
                Some(next) => piece = next,
                None => return false,
            }
        }
    }

    /// Takes a region out, once. `false`: no region was registered with this start and length.
    pub(crate) fn unregister(&self, start: usize, len: usize) -> bool {
        hidden(start) <= CLAIMED || len == 0 || self.entries().any(|entry| entry.empty(start, len))
    }

    /// Visits all regions: start and end.
    pub(crate) fn for_each(&self, mut visit: impl FnMut(usize, usize)) {
        for entry in self.entries() {
            let stored = entry.start.load(Ordering::Acquire);
            if stored > CLAIMED {
                let start = hidden(stored);
                visit(start, start.saturating_add(entry.len.load(Ordering::Relaxed)));
            }
        }
    }

    fn entries(&self) -> impl Iterator<Item = &Entry> {
        iter::successors(Some(&self.0), |piece| piece.next()).flat_map(|piece| &piece.entries)
    }
}

impl Entry {
    /// Fills the entry if it is free.
    fn fill(&self, start: usize, len: usize) -> bool {
        if !self.claim(FREE) {
            return false;
        }
        self.len.store(len, Ordering::Relaxed);
        // Release: who sees the start sees the length.
        self.start.store(hidden(start), Ordering::Release);
        true
    }

    /// Empties the entry if it is this region.
    fn empty(&self, start: usize, len: usize) -> bool {
        if !self.claim(hidden(start)) {
            return false;
        }
        let is_same = self.len.load(Ordering::Relaxed) == len;
        self.start.store(if is_same { FREE } else { hidden(start) }, Ordering::Release);
        is_same
    }

    fn claim(&self, stored: usize) -> bool {
        self.start.load(Ordering::Relaxed) == stored
            // Acquire: pairs with the Release of whoever filled the entry.
            && self
                .start
                .compare_exchange(stored, CLAIMED, Ordering::Acquire, Ordering::Relaxed)
                .is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;
    use std::vec::Vec;

    fn all(regions: &Regions) -> Vec<(usize, usize)> {
        let mut found = Vec::new();
        regions.for_each(|start, end| found.push((start, end)));
        found.sort_unstable();
        found
    }

    #[test]
    fn regions_go_as_they_came() {
        let regions = Regions::new();
        assert!(regions.register(0x1000, 16) && regions.register(0x1000, 32));
        assert!(regions.register(0x1000, 16), "twice");
        assert!(regions.register(0x2000, 0), "empty");
        assert_eq!(all(&regions), [(0x1000, 0x1010), (0x1000, 0x1010), (0x1000, 0x1020)]);
        assert!(!regions.unregister(0x1000, 17) && !regions.unregister(0x1010, 16));
        assert!(regions.unregister(0x1000, 16));
        assert_eq!(all(&regions), [(0x1000, 0x1010), (0x1000, 0x1020)]);
        assert!(regions.unregister(0x1000, 16) && !regions.unregister(0x1000, 16));
        assert!(regions.unregister(0x1000, 32));
        assert_eq!(all(&regions), []);
    }

    #[test]
    fn there_is_room_for_more_than_a_page_of_them_from_many_threads() {
        let regions = Regions::new();
        let own = |thread: usize| (1..=ENTRIES).map(move |n| (thread << 32 | n << 12, n));
        thread::scope(|scope| {
            for number in 1..=4 {
                let regions = &regions;
                scope.spawn(move || {
                    for (start, len) in own(number) {
                        assert!(regions.register(start, len));
                    }
                    for (start, len) in own(number).step_by(2) {
                        assert!(regions.unregister(start, len));
                    }
                });
            }
        });
        let mut left: Vec<_> = (1..=4)
            .flat_map(|thread| own(thread).skip(1).step_by(2))
            .map(|(start, len)| (start, start + len))
            .collect();
        left.sort_unstable();
        assert_eq!(all(&regions), left);
    }
}
