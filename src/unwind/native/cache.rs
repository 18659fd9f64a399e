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

use super::bounds::Bounds;
use super::front::{self, Cached, Odds};
use super::names::{End, Registers, StackNames};
use super::step::{State, is_fp_live, keep_words, step};
use super::store::{DEPTH_MAX, Entry, Found, Store, Word};
use super::table::{Rules, View};
use super::uncached::{number_of, root_of, rule_of, unwind_slowly};
use crate::base::sync::{AtomicBool, Ordering};
use core::cell::UnsafeCell;
use core::slice;
use core::sync::atomic::compiler_fence;

/// The stack cache of a thread. All zeros are an empty one.
#[derive(Debug)]
pub(crate) struct StackCache {
    /// The thread is in here; its signal handlers stay out.
    is_busy: AtomicBool,
    stack: UnsafeCell<Stack>,
}

/// The last stack.
#[derive(Debug)]
struct Stack {
    store: Option<Store>,
    /// Entries in use.
    len: usize,
    generation: u64,
    bounds: Bounds,
    odds: Odds,
}

/// Where a walk stopped.
enum Stop {
    /// At a frame that the cache has, with as many entries as this; and in which state.
    Joined(usize, State),
    /// At the end.
    Ended(End),
}

/// A walk that ended before the root.
struct Cut {
    start: State,
    end: End,
    count: usize,
}

/// How often a capture is begun again because a module came or went meanwhile.
const TRIES: usize = 4;
/// Any word of the last stack may be that of this one.
const NO_LIMIT: usize = usize::MAX;

impl StackCache {
    pub(crate) const fn new() -> Self {
        let stack =
            Stack { store: None, len: 0, generation: 0, bounds: Bounds::EMPTY, odds: Odds::EVEN };
        Self { is_busy: AtomicBool::new(false), stack: UnsafeCell::new(stack) }
    }

    /// The number of the stack from `caller` outwards; 0 if it could not be stored. `None`: there
    /// is no stack to see, as when a signal has interrupted this thread in here.
    ///
    /// Only the thread whose cache this is may ask, for its own stack, and always with the same
    /// rules and names.
    #[inline(always)]
    pub(crate) fn capture<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
    ) -> Option<u32> {
        let stack = self.enter()?;
        let limit = match State::of_known(caller, &stack.bounds) {
            None => NO_LIMIT,
            Some(start) => match stack.same(rules, &start) {
                Ok(node) => return self.leave(Some(node)),
                Err(limit) => limit,
            },
        };
        self.capture_changed(rules, names, caller, limit)
    }

    /// The rest of [`Self::capture`]: a call of its own, and its last.
    #[inline(never)]
    fn capture_changed<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
        limit: usize,
    ) -> Option<u32> {
        // SAFETY: only this thread comes here, and not twice at a time: `enter` has seen to it.
        let stack = unsafe { &mut *self.stack.get() };
        let start = match State::of_known(caller, &stack.bounds) {
            Some(start) => start,
            None => match State::of_unknown(caller, &mut stack.bounds) {
                Some(start) => start,
                None => return self.leave(None),
            },
        };
        self.leave(Some(stack.capture(rules, &names, start, limit)))
    }

    /// As [`Self::capture`], from a state of the thread's.
    #[inline]
    pub(crate) fn capture_from<N: StackNames>(
        &self,
        rules: &Rules,
        names: &N,
        start: State,
    ) -> Option<u32> {
        let stack = self.enter()?;
        let limit = match stack.bounds.is_known(start.sp).then(|| stack.same(rules, &start)) {
            Some(Ok(node)) => return self.leave(Some(node)),
            Some(Err(limit)) => limit,
            None => NO_LIMIT,
        };
        // SAFETY: as in `capture_changed`; the reference from `enter` is not used any more.
        let stack = unsafe { &mut *self.stack.get() };
        let is_there = stack.bounds.enter(start.sp);
        self.leave(is_there.then(|| stack.capture(rules, names, start, limit)))
    }

    /// The stack, unless this thread is in here already. Until it leaves, its signal handlers stay
    /// out.
    #[inline(always)]
    fn enter(&self) -> Option<&Stack> {
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
        stack.len = 0;
        if let Some(store) = stack.store.take() {
            // SAFETY: taken out, and copies live only inside `capture`.
            unsafe { store.release() };
        }
    }
}

impl Stack {
    /// The number of the last stack if it is this one, or continues it inwards; otherwise how many
    /// of its words may still be those of this one.
    #[inline(always)]
    fn same(&self, rules: &Rules, start: &State) -> Result<u32, usize> {
        let Some(store) = self.store.filter(|_| self.generation == rules.generation()) else {
            return Err(NO_LIMIT);
        };
        // SAFETY: hints are always there.
        let index = usize::from(unsafe { store.hint(start.sp).read() });
        if index >= self.len {
            return Err(NO_LIMIT);
        }
        // SAFETY: entries below `len` are written.
        let entry = unsafe { &*store.entries().add(index) };
        if !entry.is(start) {
            return Err(NO_LIMIT);
        }
        // SAFETY: the frame is on this thread's stack, just as it was.
        match unsafe { Word::first_difference(store.words(), entry.words as usize) } {
            None => Ok(entry.node),
            Some(word) => Err(word),
        }
    }

    /// The number of another stack than the last, which shares at most the first `limit` words.
    #[inline(always)]
    fn capture<N: StackNames>(
        &mut self,
        rules: &Rules,
        names: &N,
        start: State,
        limit: usize,
    ) -> u32 {
        let node = self.attempt(rules, names, start, limit);
        node.unwrap_or_else(|| self.try_again(rules, names, start))
    }

    /// The rest of [`Self::capture`], when a module came or went meanwhile, or the stack is too
    /// deep. Tries after the first find an empty cache.
    #[cold]
    #[inline(never)]
    fn try_again<N: StackNames>(&mut self, rules: &Rules, names: &N, start: State) -> u32 {
        for _ in 1..TRIES {
            if let Some(node) = self.attempt(rules, names, start, NO_LIMIT) {
                return node;
            }
        }
        self.len = 0;
        let view = rules.view();
        self.store.map_or(0, |store| unwind_slowly(store, view, names, start))
    }

    /// `None`: what was found is not to be relied on.
    #[inline(always)]
    fn attempt<N: StackNames>(
        &mut self,
        rules: &Rules,
        names: &N,
        start: State,
        limit: usize,
    ) -> Option<u32> {
        let view = rules.view();
        if self.generation != view.generation() {
            self.generation = view.generation();
            self.len = 0;
        }
        let Some(store) = self.store.or_else(Store::reserve) else { return Some(0) };
        self.store = Some(store);
        let looks = self.odds.favour();
        if looks && let Some(node) = front::find(&self.cached(store), &start, limit) {
            self.odds.won();
            return Some(node);
        }
        let (stop, count) = self.walk(store, view, names, start, limit);
        let node = match stop {
            Stop::Joined(join, at) if join + count <= DEPTH_MAX => {
                // SAFETY: entries below `len` are written, and `0 < join <= len`.
                let parent = unsafe { (*store.entries().add(join - 1)).node };
                let node = self.append(store, names, parent, Some((join, at)), count);
                if looks && node != 0 {
                    self.odds.lost();
                    front::keep(&self.cached(store), &start, join);
                }
                node
            }
            // Deeper than the cache: what is cut off must not depend on what was cached.
            Stop::Joined(..) => {
                self.len = 0;
                return None;
            }
            Stop::Ended(End::Root) => self.append(store, names, 0, None, count),
            Stop::Ended(end) => self.cut_off(store, view, names, Cut { start, end, count }),
        };
        (!view.is_stale()).then_some(node)
    }

    fn cached(&self, store: Store) -> Cached {
        Cached { store, len: self.len, generation: self.generation }
    }

    /// The number of a stack whose root was not reached.
    #[cold]
    #[inline(never)]
    fn cut_off<N: StackNames>(&mut self, store: Store, view: View<'_>, names: &N, cut: Cut) -> u32 {
        self.len = 0;
        if cut.end == End::Unsupported {
            return unwind_slowly(store, view, names, cut.start);
        }
        let Some(root) = root_of(names, cut.end) else { return 0 };
        if cut.end == End::NoInfo {
            return self.append(store, names, root, None, cut.count);
        }
        // What was cut off may be there next time, or must not be read: nothing is kept.
        // SAFETY: `walk` has written so many.
        let found = unsafe { slice::from_raw_parts(store.found(), cut.count) };
        number_of(names, root, found.iter().rev().map(|found| found.rule.number()))
    }

    /// Unwinds from a frame that is not known until one that is, and rests on at most `limit`
    /// words, or the end; the frames found are in the store, so many.
    #[inline(always)]
    fn walk<N: StackNames>(
        &mut self,
        store: Store,
        view: View<'_>,
        names: &N,
        start: State,
        mut limit: usize,
    ) -> (Stop, usize) {
        let mut state = start;
        let mut count = 0;
        while count < DEPTH_MAX {
            let rule = rule_of(view, names, state.frame);
            // SAFETY: `count` is below the room there is.
            unsafe { store.found().add(count).write(Found { state, rule }) };
            count += 1;
            match step(rule, state, &mut self.bounds) {
                Ok(caller) => state = caller,
                Err(end) => return (Stop::Ended(end), count),
            }
            // SAFETY: hints are always there.
            let index = usize::from(unsafe { store.hint(state.sp).read() });
            if index < self.len {
                // SAFETY: entries below `len` are written.
                let entry = unsafe { &*store.entries().add(index) };
                if entry.is(&state) && entry.words as usize <= limit {
                    // SAFETY: the frame is on this thread's stack, just as it was.
                    match unsafe { Word::first_difference(store.words(), entry.words as usize) } {
                        None => return (Stop::Joined(index + 1, state), count),
                        Some(word) => limit = word,
                    }
                }
            }
        }
        (Stop::Ended(End::Truncated), count)
    }

    /// Appends the `count` frames found, outermost first, to those that are known, as many as
    /// `joined` says, where the walk came to the last of them in that state; the number of the
    /// innermost.
    #[inline(always)]
    fn append<N: StackNames>(
        &mut self,
        store: Store,
        names: &N,
        parent: u32,
        joined: Option<(usize, State)>,
        count: usize,
    ) -> u32 {
        let mut node = parent;
        let (mut len, mut caller) = (0, None);
        let (mut words, mut needs_fp) = (0, false);
        if let Some((join, state)) = joined {
            // SAFETY: entries below `len` are written.
            let last = unsafe { &*store.entries().add(join - 1) };
            (len, caller) = (join, Some(state));
            (words, needs_fp) = (last.words, last.is_fp_live);
        }
        // Until the end of the loop no entry beyond `len` counts.
        self.len = len;
        for index in (0..count).rev() {
            // SAFETY: `walk` has written so many.
            let Found { state, rule } = unsafe { store.found().add(index).read() };
            node = if rule.number() == 0 { 0 } else { names.child(node, rule.number()) };
            if node == 0 {
                break;
            }
            // SAFETY: the walk has made the step, and there is room for three words of every entry.
            words += unsafe {
                keep_words(rule, state, needs_fp, caller, store.words().add(words as usize))
            };
            needs_fp = is_fp_live(rule, needs_fp);
            caller = Some(state);
            let State { frame, sp, fp } = state;
            let entry = Entry { frame, sp, fp, node, words, is_fp_live: needs_fp };
            // SAFETY: `len` and what is left of `count` are at most the number of entries.
            unsafe {
                store.entries().add(len).write(entry);
                store.hint(sp).write(len as u16);
            }
            len += 1;
        }
        self.len = len;
        node
    }
}
