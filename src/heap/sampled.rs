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
//! as long as others of a class, ready lists of that class are cut short, so that many requests come
//! by here to be looked at; how many, the observer's time decides.

use super::alloc::{Request, Taken};
use super::block::Block;
use super::class::{CLASS_COUNT, ClassId};
use super::engine::Engine;
use super::guarded::{Frame, Guard};
use super::local::LocalHeap;
use super::observe::{Observer, Wanted};
use super::slab::Slab;
use crate::base::sync::Ordering;
use crate::harden::choice::Reason;
use core::ptr;

/// Words with a bit for each class, and one for all that is large.
pub(super) const LOOKED_AT: usize = LARGE + 1;
const LARGE: usize = CLASS_COUNT.div_ceil(64);

/// Bytes that no process hands out.
const FAR: u64 = u64::MAX / 2;

impl<O: Observer> Engine<O> {
    /// Cuts a fresh list of `count` blocks behind the first `run_max`, and before the one that is to
    /// be observed, if there is one. What is left is null if that is the first.
    pub(super) fn cut_run(
        &self,
        heap: &LocalHeap,
        slab: &Slab,
        list: *mut Block,
        count: u32,
        run_max: u32,
    ) -> *mut Block {
        let most = count.min(run_max);
        let whole_run = || match most < count {
            // SAFETY: the list is ours and has `count` blocks, more than `most`.
            true => unsafe { self.cut(slab, list, most, count) },
            false => list,
        };
        let Some(left) = heap.sample_left() else { return whole_run() };
        let size = slab.usable_size() as u64;
        let whole = left / size;
        if whole >= u64::from(most) {
            heap.set_sample_left(Some(left - u64::from(most) * size));
            return whole_run();
        }
        self.draw_next(heap);
        heap.set_sample_due(slab.class(), true);
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

    /// A block that is observed. `None`: out of memory.
    #[cold]
    pub(super) fn take_sample(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        request: Request,
    ) -> Option<Taken<'_>> {
        heap.set_sample_due(class, false);
        let drawn = Some(class.block_size());
        if let Some(taken) = self.take_picked(heap, request, Reason::Drawn, drawn) {
            return Some(taken);
        }
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
        request: Request,
        reason: Reason,
        drawn: Option<usize>,
    ) -> Option<Taken<'_>> {
        if request.guard != Guard::None {
            return None;
        }
        let pick = self.observer.pick(heap, request.caller, reason)?;
        let request = Request { guard: pick.guard, ..request };
        let taken = self.take_guarded(heap, request, Frame::of(request)?, drawn)?;
        self.observer.picked(pick);
        heap.set_picked(true);
        Some(taken)
    }

    /// Whoever asks for blocks as long as this from now on is looked at, if there is time; whether
    /// that was not so before.
    pub(crate) fn look_at(&self, size: usize) -> bool {
        let (word, bit) = match ClassId::for_size(size) {
            Some(class) => (class.index() / 64, 1 << (class.index() % 64)),
            None => (LARGE, 1),
        };
        self.looked_at[word].fetch_or(bit, Ordering::Relaxed) & bit == 0
    }

    /// A block with a guard if its caller is listed; or how many blocks may be handed out before
    /// the next look. One, as long as there is time for it; then ever more.
    pub(super) fn look_for_listed(
        &self,
        heap: &LocalHeap,
        class: ClassId,
        request: Request,
    ) -> Result<Taken<'_>, u32> {
        let word = self.looked_at[class.index() / 64].load(Ordering::Relaxed);
        if word >> (class.index() % 64) & 1 == 0 {
            return Err(u32::MAX);
        }
        if !self.observer.may_look() {
            heap.look_run.set(heap.look_run.get().saturating_mul(2));
            return Err(heap.look_run.get());
        }
        heap.look_run.set(1);
        self.take_picked(heap, request, Reason::Listed, None).ok_or(1)
    }

    /// The same for a large block.
    pub(super) fn take_large_listed(
        &self,
        heap: &LocalHeap,
        request: Request,
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
