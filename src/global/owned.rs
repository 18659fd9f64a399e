//! The allocator as a value that is passed along: typed blocks that free themselves, and every
//! collection that takes an allocator of [`allocator_api2`].
//!
//! Nothing here aborts when memory runs out: what may fail says so.

use super::Heapsight;
use allocator_api2::alloc::{AllocError, Allocator};
use allocator_api2::boxed::Box;
use allocator_api2::vec::Vec;
use core::alloc::{GlobalAlloc, Layout};
use core::fmt::{self, Display};
use core::mem::{self, MaybeUninit};
use core::ptr::{self, NonNull};

/// A block with one owner, which frees it when it goes.
pub type Owned<T> = Box<T, Heapsight>;

/// Why there is no copy of a string.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DupeError {
    /// It is longer than it may be.
    TooLong {
        /// Its length in bytes.
        len: usize,
        /// And the bound.
        limit: usize,
    },
    /// There is no memory for it.
    OutOfMemory,
}

impl Display for DupeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong { len, limit } => {
                write!(f, "a string of {len} bytes is longer than the {limit} that are allowed")
            }
            Self::OutOfMemory => f.write_str("out of memory"),
        }
    }
}

impl core::error::Error for DupeError {}

impl From<AllocError> for DupeError {
    fn from(AllocError: AllocError) -> Self {
        Self::OutOfMemory
    }
}

impl Heapsight {
    /// Room for `len` values. O(1), but for large blocks that the system has to be asked for.
    ///
    /// # Errors
    ///
    /// Memory ran out, or so much cannot be asked for.
    pub fn alloc_slice<T>(self, len: usize) -> Result<Owned<[MaybeUninit<T>]>, AllocError> {
        Box::try_new_uninit_slice_in(len, self)
    }

    /// Room for `len` values, filled with zero bytes; memory that is fresh from the system is not
    /// written to.
    ///
    /// # Errors
    ///
    /// Memory ran out, or so much cannot be asked for.
    pub fn alloc_zero<T>(self, len: usize) -> Result<Owned<[MaybeUninit<T>]>, AllocError> {
        Box::try_new_zeroed_slice_in(len, self)
    }

    /// Room for one value.
    ///
    /// # Errors
    ///
    /// Memory ran out.
    pub fn alloc_one<T>(self) -> Result<Owned<MaybeUninit<T>>, AllocError> {
        Box::try_new_uninit_in(self)
    }

    /// A block with `value` in it.
    ///
    /// # Errors
    ///
    /// Memory ran out; the value is dropped.
    pub fn alloc_one_init<T>(self, value: T) -> Result<Owned<T>, AllocError> {
        Box::try_new_in(value, self)
    }

    /// A copy of `values`.
    ///
    /// # Errors
    ///
    /// Memory ran out.
    pub fn dupe<T: Copy>(self, values: &[T]) -> Result<Owned<[T]>, AllocError> {
        let mut copy = with_capacity(self, values.len())?;
        copy.extend_from_slice(values);
        Ok(copy.into_boxed_slice())
    }

    /// A copy of `text`, if that is no longer than `limit` bytes.
    ///
    /// ```
    /// use heapsight::DupeError;
    ///
    /// let name = heapsight::allocator().dupe_string_limited("shop", 16)?;
    /// assert_eq!(&*name, "shop");
    /// let refused = heapsight::allocator().dupe_string_limited("shop", 3);
    /// assert_eq!(refused.err(), Some(DupeError::TooLong { len: 4, limit: 3 }));
    /// # Ok::<(), DupeError>(())
    /// ```
    ///
    /// # Errors
    ///
    /// It is longer, or memory ran out.
    pub fn dupe_string_limited(self, text: &str, limit: usize) -> Result<Owned<str>, DupeError> {
        if text.len() > limit {
            return Err(DupeError::TooLong { len: text.len(), limit });
        }
        let (bytes, heap) = Box::into_raw_with_allocator(self.dupe(text.as_bytes())?);
        // SAFETY: the block has just been given up by its owner, and holds the bytes of a string.
        Ok(unsafe { Box::from_raw_in(bytes as *mut str, heap) })
    }

    /// Makes a block as long as `len` values, where it is if there is room; new ones are `fill`.
    ///
    /// # Errors
    ///
    /// Memory ran out; the block is as it was.
    pub fn realloc_slice<T: Copy>(
        self,
        block: &mut Owned<[T]>,
        len: usize,
        fill: T,
    ) -> Result<(), AllocError> {
        let mut values = take(block);
        let more = len.saturating_sub(values.len());
        let has_room = values.try_reserve_exact(more).is_ok();
        if has_room {
            values.resize(len, fill);
        }
        *block = values.into_boxed_slice();
        if has_room { Ok(()) } else { Err(AllocError) }
    }

    /// Drops the values from `len` on, and gives their room back. A block that is no longer than
    /// that stays as it is.
    pub fn realloc_shrink<T>(self, block: &mut Owned<[T]>, len: usize) {
        let mut values = take(block);
        values.truncate(len);
        *block = values.into_boxed_slice();
    }

    /// Frees a block now; it would be freed at the end of its scope anyway.
    pub fn free<T: ?Sized>(self, block: Owned<T>) {
        drop(block);
    }
}

/// The values of a block, which is left empty.
fn take<T>(block: &mut Owned<[T]>) -> Vec<T, Heapsight> {
    mem::replace(block, Vec::new_in(Heapsight).into_boxed_slice()).into_vec()
}

fn with_capacity<T>(heap: Heapsight, len: usize) -> Result<Vec<T, Heapsight>, AllocError> {
    let mut values = Vec::new_in(heap);
    values.try_reserve_exact(len).map_err(|_| AllocError)?;
    Ok(values)
}

// SAFETY: blocks live until they are freed, by whichever copy of the handle: all name the heaps of
// this process.
unsafe impl Allocator for Heapsight {
    #[inline]
    fn allocate(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the layout is not empty.
        block_of(layout, || unsafe { self.alloc(layout) })
    }

    #[inline]
    fn allocate_zeroed(&self, layout: Layout) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: the layout is not empty.
        block_of(layout, || unsafe { self.alloc_zeroed(layout) })
    }

    #[inline]
    unsafe fn deallocate(&self, block: NonNull<u8>, layout: Layout) {
        if layout.size() != 0 {
            // SAFETY: the caller has it from `allocate`, with this layout, which is not empty.
            unsafe { self.dealloc(block.as_ptr(), layout) };
        }
    }

    #[inline]
    unsafe fn grow(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: as the caller's.
        unsafe { self.resize(block, old, new) }
    }

    #[inline]
    unsafe fn shrink(
        &self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        // SAFETY: as the caller's.
        unsafe { self.resize(block, old, new) }
    }
}

impl Heapsight {
    /// # Safety
    ///
    /// As [`Allocator::grow`] and [`Allocator::shrink`] demand.
    unsafe fn resize(
        self,
        block: NonNull<u8>,
        old: Layout,
        new: Layout,
    ) -> Result<NonNull<[u8]>, AllocError> {
        if old.align() == new.align() && old.size() != 0 && new.size() != 0 {
            // SAFETY: the block was allocated with `old`, the new size is one that a layout has.
            return block_of(new, || unsafe { self.realloc(block.as_ptr(), old, new.size()) });
        }
        let moved = self.allocate(new)?;
        let kept = old.size().min(new.size());
        // SAFETY: both blocks hold as many bytes, and are two; the old one is done with then.
        unsafe {
            ptr::copy_nonoverlapping(block.as_ptr(), moved.cast().as_ptr(), kept);
            self.deallocate(block, old);
        }
        Ok(moved)
    }
}

/// A block of `layout`; of no bytes it is no block, but an address that is aligned.
#[inline]
fn block_of(layout: Layout, serve: impl FnOnce() -> *mut u8) -> Result<NonNull<[u8]>, AllocError> {
    let start = match layout.size() {
        0 => NonNull::new(ptr::without_provenance_mut(layout.align())),
        _ => NonNull::new(serve()),
    };
    start.map(|start| NonNull::slice_from_raw_parts(start, layout.size())).ok_or(AllocError)
}
