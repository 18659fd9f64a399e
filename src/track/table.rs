//! A section of the ledger: records that only grow.
//!
//! Where the ledger is a file, its pages are made before a record is put into them: touching a page
//! that a full disk has no room for would be a deadly signal.

use crate::base::sync::{AtomicPtr, AtomicU32, Ordering};
use crate::format::layout::Section;
use crate::os::memory::{self, Populated};
use core::marker::PhantomData;
use core::ptr::{self, NonNull};
use core::slice;

/// A section of records of type `T`.
#[derive(Debug)]
pub(crate) struct Table<T> {
    section: AtomicPtr<Section>,
    first: AtomicPtr<u8>,
    capacity: AtomicU32,
    /// Records whose pages are there.
    ready: AtomicU32,
    records: PhantomData<fn() -> T>,
}

/// So many bytes of pages are made at a time.
const STEP: usize = 16 << 10;

impl<T> Table<T> {
    pub(super) const fn new() -> Self {
        Self {
            section: AtomicPtr::new(ptr::null_mut()),
            first: AtomicPtr::new(ptr::null_mut()),
            capacity: AtomicU32::new(0),
            ready: AtomicU32::new(0),
            records: PhantomData,
        }
    }

    /// `is_file`: pages of it may not be to be had.
    pub(super) fn open(&self, section: &Section, first: *mut u8, is_file: bool) {
        let capacity = section.capacity.load(Ordering::Relaxed);
        self.ready.store(if is_file { 0 } else { capacity }, Ordering::Relaxed);
        self.section.store(ptr::from_ref(section).cast_mut(), Ordering::Relaxed);
        self.first.store(first, Ordering::Relaxed);
        self.capacity.store(capacity, Ordering::Release);
    }

    pub(super) fn section(&self) -> Option<&Section> {
        // SAFETY: null, or in the header, which is never unmapped.
        unsafe { self.section.load(Ordering::Relaxed).as_ref() }
    }

    /// A record, complete or not; `None` beyond the capacity.
    #[inline(always)]
    pub(crate) fn get(&self, number: u32) -> Option<&T> {
        if number >= self.capacity.load(Ordering::Acquire) {
            return None;
        }
        // SAFETY: the section has room for `capacity` records, aligned, valid when all zero; all
        // their fields are atomic.
        Some(unsafe { &*self.first.load(Ordering::Relaxed).cast::<T>().add(number as usize) })
    }

    /// All records, complete or not: for who looks at several.
    #[inline(always)]
    pub(crate) fn all(&self) -> &[T] {
        let capacity = self.capacity.load(Ordering::Acquire) as usize;
        if capacity == 0 {
            return &[];
        }
        // SAFETY: as in `get`.
        unsafe { slice::from_raw_parts(self.first.load(Ordering::Relaxed).cast(), capacity) }
    }

    /// Most records there can be.
    pub(crate) fn capacity(&self) -> u32 {
        self.capacity.load(Ordering::Acquire)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.len() >= self.capacity()
    }

    /// Complete records.
    pub(crate) fn len(&self) -> u32 {
        self.section().map_or(0, |section| section.count.load(Ordering::Acquire))
    }

    /// Appends a record. The ledger's lock is held. `None`: no room, which is counted.
    pub(crate) fn append(&self, fill: impl FnOnce(&T)) -> Option<u32> {
        let section = self.section()?;
        let number = section.count.load(Ordering::Relaxed);
        let Some(record) = self.get(number).filter(|_| self.is_ready(number)) else {
            section.refused.fetch_add(1, Ordering::Relaxed);
            return None;
        };
        fill(record);
        // Release: whoever sees the count sees the record.
        section.count.store(number + 1, Ordering::Release);
        Some(number)
    }

    /// Whether a record below the capacity can be written. The ledger's lock is held.
    pub(super) fn is_ready(&self, number: u32) -> bool {
        while number >= self.ready.load(Ordering::Relaxed) {
            if !self.make_ready() {
                return false;
            }
        }
        true
    }

    #[cold]
    fn make_ready(&self) -> bool {
        let ready = self.ready.load(Ordering::Relaxed);
        let more = ((STEP / size_of::<T>()) as u32).clamp(1, self.capacity() - ready);
        let start = self.first.load(Ordering::Relaxed).cast::<T>().wrapping_add(ready as usize);
        let Some(start) = NonNull::new(start) else { return false };
        // SAFETY: inside the section.
        match unsafe { memory::populate(start.cast(), more as usize * size_of::<T>()) } {
            Populated::No => return false,
            _ => self.ready.store(ready + more, Ordering::Relaxed),
        }
        true
    }

    /// Another mapping has taken the place of this one: its pages are to be made anew.
    pub(super) fn moved(&self, is_file: bool) {
        let ready = if is_file { 0 } else { self.capacity() };
        self.ready.store(ready, Ordering::Relaxed);
    }

    /// Address of the records.
    pub(super) fn first(&self) -> *mut u8 {
        self.first.load(Ordering::Relaxed)
    }

    /// Forgets all records, which are rewritten from the first on. The ledger's lock is held.
    pub(crate) fn truncate(&self, count: u32) {
        if let Some(section) = self.section() {
            section.count.store(count, Ordering::Release);
        }
    }
}
