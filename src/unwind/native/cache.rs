//! The verified stack cache: a thread's last stack, so that the next capture unwinds only what has
//! changed.
//!
//! The callers of a frame are a function of its program counter, its stack pointer, perhaps its
//! frame pointer, and the words of the stack that unwinding from there has read. So if a walk comes
//! to a frame with the same registers as one of the last stack, and those words still hold what
//! they held, then everything outwards is the same: nothing was assumed, only compared. Return
//! addresses stay as they are, so `longjmp`, exceptions and other stacks need no attention.
//!
//! ```text
//!   entries   0 (outermost) … join-1 │ join … len-1 (innermost)
//!   words     of 0 … of join-1       │ of join … of len-1
//!             verified: shared       │ unwound anew
//! ```
//!
//! **Words are compared from the innermost outwards, up to the first difference.** The address of
//! a word follows from words further inwards, which are equal: so a comparison reads nothing that
//! unwinding from here would not read. (The outer words of a stack that has been unmapped may not
//! be there at all.) There is therefore no vectorised and no early comparison.

use super::last::Last;
use super::names::{Registers, StackNames};
use super::stack::Stack;
use super::step::State;
use super::store::Store;
use super::table::Rules;
use crate::base::sync::{AtomicBool, Ordering};
use core::cell::UnsafeCell;
use core::sync::atomic::compiler_fence;

/// The stack cache of a thread. All zeros are an empty one.
#[derive(Debug)]
pub(crate) struct StackCache {
    /// The thread is in here; its signal handlers stay out.
    is_busy: AtomicBool,
    stack: UnsafeCell<Stack>,
}

/// How many words of the last stack may be those of this one. It rests on those that are equal, of
/// which there are at most so many.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(pub(super) u32);

impl Limit {
    /// Any word may.
    pub(crate) const NONE: Self = Self(u32::MAX);

    /// As a number that [`Self::from_number`] understands.
    #[inline(always)]
    pub(crate) const fn number(self) -> u32 {
        self.0
    }

    #[inline(always)]
    pub(crate) const fn from_number(number: u32) -> Self {
        Self(number)
    }
}

impl StackCache {
    pub(crate) const fn new() -> Self {
        Self { is_busy: AtomicBool::new(false), stack: UnsafeCell::new(Stack::new()) }
    }

    /// The number of the stack from `caller` outwards; 0 if it could not be stored. `None`: there
    /// is no stack to see, as when a signal has interrupted this thread in here.
    ///
    /// Only the thread whose cache this is may ask, for its own stack, and always with the same
    /// rules and names.
    #[inline]
    pub(crate) fn capture<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
    ) -> Option<u32> {
        let node = self.enter()?.same(rules, caller);
        // SAFETY: only this thread comes here, and not twice at a time: `enter` has seen to it.
        let stack = unsafe { &mut *self.stack.get() };
        match node.or_else(|limit| stack.advance(rules, names, caller, limit)) {
            Ok(node) => self.leave(Some(node)),
            Err(limit) => self.capture_entered(rules, names, caller, limit),
        }
    }

    /// As [`Self::capture`], where the caller keeps the thread's signal handlers away from the
    /// cache, and only of the last stack. Nothing is changed.
    #[inline(always)]
    pub(crate) fn known(&self, rules: &Rules, caller: Registers) -> Result<u32, Limit> {
        // SAFETY: only this thread comes here, and its handlers stay out: the caller's.
        unsafe { &*self.stack.get() }.same(rules, caller)
    }

    /// As [`Self::capture`] of a stack that shares at most so much with the last, if everything is
    /// at hand; otherwise how much it may share, for [`Self::capture_after`]. To follow on
    /// [`Self::known`] at once.
    #[inline(always)]
    pub(crate) fn advance<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
        limit: Limit,
    ) -> Result<u32, Limit> {
        if self.enter().is_none() {
            return Err(limit);
        }
        // SAFETY: only this thread comes here, and not twice at a time: `enter` has seen to it.
        let stack = unsafe { &mut *self.stack.get() };
        let result = stack.advance(rules, names, caller, limit);
        self.leave(None);
        result
    }

    /// As [`Self::capture`] of a stack that shares at most so much with the last: to follow on
    /// [`Self::known`] at once.
    #[inline(always)]
    pub(crate) fn capture_after<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
        limit: Limit,
    ) -> Option<u32> {
        self.enter()?;
        self.capture_entered(rules, names, caller, limit)
    }

    /// The rest of [`Self::capture`].
    #[inline(always)]
    fn capture_entered<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
        limit: Limit,
    ) -> Option<u32> {
        // SAFETY: only this thread comes here, and not twice at a time: `enter` has seen to it.
        let stack = unsafe { &mut *self.stack.get() };
        if !stack.bounds.enter(caller.sp) {
            return self.leave(None);
        }
        // SAFETY: the word is in the window.
        let start = unsafe { State::of_readable(caller) };
        self.leave(Some(stack.capture(rules, names, start, limit)))
    }

    /// As [`Self::capture`], from a state of the thread's.
    #[inline]
    pub(crate) fn capture_from<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        start: State,
    ) -> Option<u32> {
        self.enter()?;
        // SAFETY: as in `capture_entered`.
        let stack = unsafe { &mut *self.stack.get() };
        let is_there = stack.bounds.enter(start.sp);
        self.leave(is_there.then(|| stack.capture(rules, names, start, Limit::NONE)))
    }

    /// The stack, unless this thread is in here already. Until it leaves, its signal handlers stay
    /// out.
    #[inline(always)]
    pub(super) fn enter(&self) -> Option<&Stack> {
        if self.is_busy.load(Ordering::Relaxed) {
            return None;
        }
        self.is_busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        // SAFETY: only this thread comes here, and not twice at a time.
        Some(unsafe { &*self.stack.get() })
    }

    #[inline(always)]
    fn leave(&self, result: Option<u32>) -> Option<u32> {
        compiler_fence(Ordering::SeqCst);
        self.is_busy.store(false, Ordering::Relaxed);
        result
    }

    /// What is mapped for it: start and length. May be asked by any thread while this one's waits.
    pub(crate) fn mapping(&self) -> Option<(usize, usize)> {
        // SAFETY: the store is set once, by a thread that waits now, in one word.
        let store = unsafe { (&raw const (*self.stack.get()).store).read() };
        store.map(Store::mapping)
    }

    /// Gives the memory back.
    ///
    /// # Safety
    /// The thread is not in [`StackCache::capture`] and nor are its signal handlers.
    pub(crate) unsafe fn release(&self) {
        // SAFETY: nobody else is here.
        let stack = unsafe { &mut *self.stack.get() };
        (stack.len, stack.last) = (0, Last::NONE);
        if let Some(store) = stack.store.take() {
            // SAFETY: taken out, and copies live only inside `capture`.
            unsafe { store.release() };
        }
    }
}
