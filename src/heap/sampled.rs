//! Sampling: some blocks are observed, drawn at random, and the fast paths do not know.
//!
//! Samples are points of a Poisson process on the bytes that a heap hands out. The heap knows how
//! many bytes are left until the next one, and looks when it refills a ready list: as long as the
//! point is not inside the list, the fast path runs through it as ever. A list that a point falls
//! into is cut before that block, and the request that finds it empty gets a block of a tracked
//! slab instead, which no fast path frees. Looking at refills changes the order of the bytes, not
//! the chance of any block: for one of `s` bytes it is 1 − exp(−s / mean), whatever came before.
//!
//! The observer may want a guard for a block that is drawn (`safety=sampled`): then it is served by
//! [`super::guarded`]. It may also want guards for all blocks of some call sites. Where these are
//! as long as others of a class, ready lists of that class are cut short, so that many requests
//! come by here to be looked at; how many, the observer's time decides.

use super::alloc::{Request, Taken};
use super::block::Block;
use super::class::{ALIGN_MIN, CLASS_COUNT, ClassId};
use super::engine::Engine;
use super::guarded::{Frame, Guard};
use super::local::LocalHeap;
use super::observe::{Observer, Slot, Wanted};
use super::slab::Slab;
use crate::base::sync::Ordering;
use crate::harden::choice::Reason;
use core::ptr;

/// How many blocks a ready list may get.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Run {
    /// As many as there are.
    Long,
    /// So many.
    UpTo(u32),
    /// One, which was drawn already.
    Drawn,
}

/// Words with a bit for each class, and one for all that is large.
pub(super) const LOOKED_AT: usize = LARGE + 1;
const LARGE: usize = CLASS_COUNT.div_ceil(64);

/// Bytes that no process hands out.
const FAR: u64 = u64::MAX / 2;

impl<O: Observer> Engine<O> {
    /// Cuts a fresh list of `count` blocks to the length that it may have, and before the one that
    /// is drawn, if there is one. What is left is null if that is the first.
    #[inline(never)]
    pub(super) fn cut_run(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        list: *mut Block,
        count: u32,
        run: Run,
    ) -> *mut Block {
        let most = match run {
            Run::Long => count,
            Run::UpTo(few) => count.min(few),
            Run::Drawn => 1,
        };
        let whole_run = || match most < count {
            // SAFETY: the list is ours and has `count` blocks, more than `most`.
            true => unsafe { self.cut(slab, list, most, count) },
            false => list,
        };
        let left = heap.sample_left().filter(|_| run != Run::Drawn);
        let Some(left) = left else { return whole_run() };
        let size = slab.usable_size() as u64;
        let whole = left / size;
        if whole >= u64::from(most) {
            heap.set_sample_left(Some(left - u64::from(most) * size));
            return whole_run();
        }
        self.draw_next(heap);
        heap.set_drawn(slab.class());
        // SAFETY: the list is ours and has `count` blocks, more than `whole`.
        unsafe { self.cut(slab, list, whole as u32, count) }
    }

    /// Keeps the first `kept` blocks and gives the others back to their slab.
    ///
    /// # Safety
    /// The list has `count` blocks of `slab`, whose own list is empty; `kept < count`.
    unsafe fn cut(&self, slab: &Slab, list: *mut Block, kept: u32, count: u32) -> *mut Block {
        let (mut last, mut rest) = (ptr::null_mut(), list);
        for _ in 0..kept {
            last = rest;
            // SAFETY: the caller's.
            rest = unsafe { Block::next(rest) };
        }
        slab.give_back(rest, count - kept);
        if last.is_null() {
            return ptr::null_mut();
        }
        // SAFETY: a block of the list, which is ours.
        unsafe { Block::set_next(last, ptr::null_mut()) };
        list
    }

    /// The block that is due: with a guard, or observed if such are, or like any other.
    #[cold]
    #[inline(never)]
    pub(super) fn refill_due(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        request: &Request,
    ) -> Option<Taken<'_>> {
        if !heap.take_drawn(class, self.looked_at()) {
            return self.refill_looking(heap, class, request);
        }
        let is_kept = self.observer.keeps_samples();
        let drawn = is_kept.then(|| class.block_size());
        if let Some(taken) = self.take_picked(heap, request, Reason::Drawn, drawn) {
            return Some(taken);
        }
        if is_kept {
            return self.take_sample(heap, class);
        }
        let slab = self.slab_with_room(heap, class)?;
        let cut = |list, count| self.cut_run(heap, slab, list, count, Run::Drawn);
        Some(self.take_run(heap, class, slab, cut))
    }

    fn take_sample(&self, heap: &LocalHeap, class: ClassId) -> Option<Taken<'_>> {
        let slab = match heap.sampled().find(|slab| self.serves(slab, class)) {
            Some(slab) => slab,
            None => {
                let slab = self.fresh_slab(heap, class, Wanted::Samples)?;
                heap.sampled().push_front(slab);
                slab
            }
        };
        // SAFETY: queued records stay mapped while the slab lives, and it has a used block next.
        let slab = unsafe { &*ptr::from_ref(slab) };
        Some(self.take_single(heap, slab))
    }

    /// A block with a guard, if the observer wants one. The heap is busy.
    fn take_picked(
        &self,
        heap: &LocalHeap,
        request: &Request,
        reason: Reason,
        drawn: Option<usize>,
    ) -> Option<Taken<'_>> {
        if request.guard != Guard::None {
            return None;
        }
        let pick = self.observer.pick(heap, request.caller, reason)?;
        let request = Request { guard: pick.guard, ..*request };
        let frame = Frame::of(request).filter(Frame::is_near)?;
        let taken = self.take_guarded(heap, request, frame, drawn)?;
        self.observer.picked(pick);
        heap.set_picked(true);
        Some(taken)
    }

    /// Tells of a block that has got a guard and a record, if it has just been picked.
    pub(super) fn tell_picked(&self, heap: &LocalHeap, taken: Taken<'_>, request: &Request) {
        if heap.take_picked() {
            self.observer.guarded(
                Slot { slab: taken.slab, index: 0 },
                request.size,
                request.family,
            );
        }
    }

    /// Whoever asks for blocks as long as this from now on is looked at, if there is time; whether
    /// that was not so before.
    pub(crate) fn look_at(&self, size: usize) -> bool {
        let set = |align: usize| {
            let (word, bit) = match ClassId::for_layout(size, align) {
                Some(class) => (class.index() / 64, 1 << (class.index() % 64)),
                None => (LARGE, 1),
            };
            self.looked_at[word].fetch_or(bit, Ordering::Relaxed) & bit == 0
        };
        // How they are aligned is not known: Rust's as their types are, C's to 16, or to a line.
        [1, ALIGN_MIN, 64].map(set).contains(&true)
    }

    /// The classes that callers are looked at for, a bit each.
    pub(super) fn looked_at(&self) -> u128 {
        let word = |index: usize| u128::from(self.looked_at[index].load(Ordering::Relaxed));
        word(0) | word(1) << 64
    }

    /// A block with a guard if its caller is listed; if not, others like it up to the next look.
    /// That is one, as long as there is time for looks; then ever more.
    fn refill_looking(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        request: &Request,
    ) -> Option<Taken<'_>> {
        if self.observer.may_look() {
            heap.look_run.set(1);
            if let Some(taken) = self.take_picked(heap, request, Reason::Listed, None) {
                return Some(taken);
            }
        } else {
            heap.look_run.set(heap.look_run.get().saturating_mul(2));
        }
        let slab = self.slab_with_room(heap, class)?;
        let run = Run::UpTo(heap.look_run.get());
        let cut = |list, count| self.cut_run(heap, slab, list, count, run);
        let taken = self.take_run(heap, class, slab, cut);
        if taken.address.is_null() { self.refill_due(heap, class, request) } else { Some(taken) }
    }

    /// A listed caller's large block, with a guard.
    pub(super) fn take_large_listed(
        &self,
        heap: &LocalHeap,
        request: &Request,
    ) -> Option<Taken<'_>> {
        if self.looked_at[LARGE].load(Ordering::Relaxed) == 0 || !self.observer.may_look() {
            return None;
        }
        let _busy = heap.enter()?;
        self.take_picked(heap, request, Reason::Listed, None)
    }

    fn serves(&self, slab: &Slab, class: ClassId) -> bool {
        slab.class() == class && self.observer.suits(slab)
    }

    /// Whether a large block of `size` bytes is to be observed.
    pub(super) fn is_large_sample(&self, heap: &LocalHeap, size: usize) -> bool {
        let Some(left) = heap.sample_left() else { return false };
        let is_sample = left < size as u64;
        if is_sample {
            self.draw_next(heap);
        } else {
            heap.set_sample_left(Some(left - size as u64));
        }
        is_sample
    }

    /// Draws the next point. A heap that samples goes on as one until it follows the mode, which
    /// may have changed: its slabs are in the queue of those that do.
    fn draw_next(&self, heap: &LocalHeap) {
        heap.set_sample_left(Some(self.observer.until_sample(heap).unwrap_or(FAR)));
    }
}
