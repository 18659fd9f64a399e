//! The memory of a thread's stack cache: the frames of its last stack, the words they rest on, and
//! where to look for a frame by its stack pointer.
//!
//! One reservation per thread, touched as far as stacks have been deep. Raw pointers, as a signal
//! handler may find its thread in the middle of a change (and then stays away).

use super::front::{TOPS, Top};
use super::names::Frame;
use super::rule::Rule;
use super::step::{State, word};
use crate::base::arith;
use crate::os::memory::{self, PAGE};
use core::ptr::{self, NonNull};

/// A frame of the last stack, whose callers are the entries before it.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Entry {
    pub(super) frame: Frame,
    pub(super) sp: usize,
    pub(super) fp: usize,
    /// Number of the stack that ends in this frame.
    pub(super) node: u32,
    /// Twice [`Self::words`], plus [`Self::is_fp_live`].
    rests_on: u32,
}

const _: () = assert!(size_of::<Entry>() == 32);

impl Entry {
    #[inline(always)]
    pub(super) const fn new(state: State, node: u32, words: u32, is_fp_live: bool) -> Self {
        let State { frame, sp, fp } = state;
        Self { frame, sp, fp, node, rests_on: words << 1 | is_fp_live as u32 }
    }

    /// The words that this frame and its callers rest on are those before this.
    #[inline(always)]
    pub(super) const fn words(&self) -> u32 {
        self.rests_on >> 1
    }

    /// Whether they were found by way of `fp`.
    #[inline(always)]
    pub(super) const fn is_fp_live(&self) -> bool {
        self.rests_on & 1 != 0
    }

    /// [`Word::first_difference`] of the words that this frame and its callers rest on.
    ///
    /// # Safety
    /// As there.
    #[inline(always)]
    pub(super) unsafe fn first_difference(&self, store: Store) -> Option<usize> {
        let words = store.words();
        // SAFETY: the caller's.
        unsafe { Word::first_difference(words, words.add(self.words() as usize)) }
    }

    /// Whether `state` is this very frame, as far as its callers are concerned.
    #[inline(always)]
    pub(super) fn is(&self, state: &State) -> bool {
        self.sp == state.sp
            && self.frame == state.frame
            && (!self.is_fp_live() || self.fp == state.fp)
    }
}

/// A word of the stack.
#[derive(Clone, Copy, Debug)]
#[repr(C)]
pub(super) struct Word {
    pub(super) address: usize,
    pub(super) value: usize,
}

impl Word {
    /// Compares the words up to `end` with the stack, from the last down; the first that differs.
    /// What ends the comparison is a word before them that differs always: no step asks whether it
    /// is the last.
    ///
    /// # Safety
    /// The words are written, and so is one before them, [`Self::never_equal`]. Unwinding from the
    /// frame they belong to is possible: each word's address follows from the equal ones after it,
    /// so it is read as a step would read it.
    #[inline(always)]
    pub(super) unsafe fn first_difference(words: *const Self, end: *const Self) -> Option<usize> {
        // SAFETY: the caller's; no word is asked for before one that differs.
        let differs = |at: *const Self, back: usize| unsafe {
            let expected = &*at.sub(back);
            word(expected.address) != expected.value
        };
        let mut at = end;
        // What is left to compare is before `at`. No loop with so many ways out would be unrolled.
        macro_rules! compare {
            ($($back:literal)*) => {
                $(if differs(at, $back) {
                    break at.wrapping_sub($back);
                })*
            };
        }
        let differing = loop {
            compare!(1 2 3 4 5 6 7 8);
            at = at.wrapping_sub(UNIT);
        };
        // SAFETY: of the words, or the one before them.
        usize::try_from(unsafe { differing.offset_from(words) }).ok()
    }

    /// Whether the `len` words are equal to the stack, compared from the last down.
    ///
    /// # Safety
    /// As [`Self::first_difference`], but nothing need be before the words.
    #[inline(always)]
    pub(super) unsafe fn are_equal(words: *const Self, len: usize) -> bool {
        (0..len).rev().all(|index| {
            // SAFETY: the caller's; the words after this one are equal.
            unsafe { word((*words.add(index)).address) == (*words.add(index)).value }
        })
    }

    /// A word that is zero and stays so.
    fn never_equal(zero: *const usize) -> Self {
        Self { address: zero.expose_provenance(), value: 1 }
    }
}

/// Words that are compared in a row.
const UNIT: usize = 8;

/// A frame that a walk has found and the cache does not have yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Found {
    pub(super) state: State,
    pub(super) rule: Rule,
}

/// Most frames of a stack. A deeper one is known by its innermost ones, and marked.
pub(crate) const DEPTH_MAX: usize = 1 << 14;
/// Most words that a frame rests on.
const WORDS_PER_FRAME: usize = 3;
const HINTS: usize = 1 << 11;

#[repr(C)]
struct Layout {
    /// Index of the entry that had a stack pointer last, by its low bits: only a hint.
    hints: [u16; HINTS],
    tops: [Top; TOPS],
    entries: [Entry; DEPTH_MAX],
    /// For [`Word::never_equal`].
    zero: usize,
    /// The words of the entries, and before them one that is never equal.
    words: [Word; 1 + DEPTH_MAX * WORDS_PER_FRAME],
    found: [Found; DEPTH_MAX],
}

/// The reservation.
#[derive(Clone, Copy, Debug)]
pub(super) struct Store(NonNull<Layout>);

const LEN: usize = arith::round_up(size_of::<Layout>(), PAGE);

impl Store {
    #[cold]
    #[inline(never)]
    pub(super) fn reserve() -> Option<Self> {
        let store = Self(memory::map_zeroed(LEN)?.cast());
        // SAFETY: inside the reservation, which is nobody else's yet.
        unsafe {
            let zero = ptr::addr_of!((*store.layout()).zero);
            let first = ptr::addr_of_mut!((*store.layout()).words).cast::<Word>();
            first.write(Word::never_equal(zero));
        }
        Some(store)
    }

    /// Start and length.
    pub(super) fn mapping(self) -> (usize, usize) {
        (self.0.as_ptr() as usize, LEN)
    }

    /// # Safety
    /// Neither this store nor a copy is used any more.
    pub(super) unsafe fn release(self) {
        // SAFETY: the caller's.
        unsafe { memory::release(self.0.cast(), LEN) }
    }

    #[inline(always)]
    fn layout(self) -> *mut Layout {
        self.0.as_ptr()
    }

    /// Where the entry that had this stack pointer last is noted.
    #[inline(always)]
    pub(super) fn hint(self, sp: usize) -> *mut u16 {
        // SAFETY: the mask keeps the place inside.
        unsafe {
            ptr::addr_of_mut!((*self.layout()).hints).cast::<u16>().add((sp >> 3) & (HINTS - 1))
        }
    }

    /// One of the kept tops.
    #[inline(always)]
    pub(super) fn top(self, index: usize) -> *mut Top {
        // SAFETY: the mask keeps the place inside.
        unsafe { ptr::addr_of_mut!((*self.layout()).tops).cast::<Top>().add(index & (TOPS - 1)) }
    }

    /// The entries, [`DEPTH_MAX`] of them.
    #[inline(always)]
    pub(super) fn entries(self) -> *mut Entry {
        // SAFETY: inside the reservation.
        unsafe { ptr::addr_of_mut!((*self.layout()).entries).cast() }
    }

    /// The words, as many as the entries can have, for [`Word::first_difference`].
    #[inline(always)]
    pub(super) fn words(self) -> *mut Word {
        // SAFETY: inside the reservation.
        unsafe { ptr::addr_of_mut!((*self.layout()).words).cast::<Word>().add(1) }
    }

    /// Room for the frames of a walk, [`DEPTH_MAX`] of them.
    #[inline(always)]
    pub(super) fn found(self) -> *mut Found {
        // SAFETY: inside the reservation.
        unsafe { ptr::addr_of_mut!((*self.layout()).found).cast() }
    }
}
