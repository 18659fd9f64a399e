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
use super::step::{State, is_fp_live, step, word, words_read};
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
    /// At a frame that the cache has, with as many entries as this.
    Joined(usize),
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
        let start = State::of(caller, &mut stack.bounds);
        self.leave(start.map(|start| stack.capture(rules, &names, start, limit)))
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
    #[inline]
    fn capture<N: StackNames>(
        &mut self,
        rules: &Rules,
        names: &N,
        start: State,
        limit: usize,
    ) -> u32 {
        // Tries after the first find an empty cache, and no words.
        for _ in 0..TRIES {
            let view = rules.view();
            if self.generation != view.generation() {
                self.generation = view.generation();
                self.len = 0;
            }
            let Some(store) = self.store.or_else(Store::reserve) else { return 0 };
            self.store = Some(store);
            let looks = self.odds.favour();
            let cached = Cached { store, len: self.len, generation: self.generation };
            if looks && let Some(node) = front::find(cached, &start, limit) {
                self.odds.won();
                return node;
            }
            let (stop, count) = self.walk(store, &view, names, start, limit);
            let node = match stop {
                Stop::Joined(join) if join + count <= DEPTH_MAX => {
                    // SAFETY: entries below `len` are written, and `0 < join <= len`.
                    let parent = unsafe { (*store.entries().add(join - 1)).node };
                    let node = self.append(store, names, parent, join, count);
                    if count > 0 && looks && node != 0 {
                        self.odds.lost();
                        front::keep(Cached { len: self.len, ..cached }, &start, join);
                    }
                    node
                }
                // Deeper than the cache: what is cut off must not depend on what was cached.
                Stop::Joined(_) => {
                    self.len = 0;
                    continue;
                }
                Stop::Ended(End::Root) => self.append(store, names, 0, 0, count),
                Stop::Ended(end) => self.cut_off(store, &view, names, Cut { start, end, count }),
            };
            if count == 0 || !view.is_stale() {
                return node;
            }
        }
        self.len = 0;
        let view = rules.view();
        self.store.map_or(0, |store| unwind_slowly(store, &view, names, start))
    }

    /// The number of a stack whose root was not reached.
    #[cold]
    #[inline(never)]
    fn cut_off<N: StackNames>(
        &mut self,
        store: Store,
        view: &View<'_>,
        names: &N,
        cut: Cut,
    ) -> u32 {
        self.len = 0;
        if cut.end == End::Unsupported {
            return unwind_slowly(store, view, names, cut.start);
        }
        let Some(root) = root_of(names, cut.end) else { return 0 };
        if cut.end == End::NoInfo {
            return self.append(store, names, root, 0, cut.count);
        }
        // What was cut off may be there next time, or must not be read: nothing is kept.
        // SAFETY: `walk` has written so many.
        let found = unsafe { slice::from_raw_parts(store.found(), cut.count) };
        number_of(names, root, found.iter().rev().map(|found| found.rule.number()))
    }

    /// Unwinds until a known frame that rests on at most `limit` words, or the end; the frames
    /// found are in the store, so many.
    #[inline(always)]
    fn walk<N: StackNames>(
        &mut self,
        store: Store,
        view: &View<'_>,
        names: &N,
        start: State,
        mut limit: usize,
    ) -> (Stop, usize) {
        let mut state = start;
        let mut count = 0;
        loop {
            // SAFETY: hints are always there.
            let index = usize::from(unsafe { store.hint(state.sp).read() });
            if index < self.len {
                // SAFETY: entries below `len` are written.
                let entry = unsafe { &*store.entries().add(index) };
                if entry.words as usize <= limit && entry.is(&state) {
                    // SAFETY: the frame is on this thread's stack, just as it was.
                    match unsafe { Word::first_difference(store.words(), entry.words as usize) } {
                        None => return (Stop::Joined(index + 1), count),
                        Some(word) => limit = word,
                    }
                }
            }
            if count == DEPTH_MAX {
                return (Stop::Ended(End::Truncated), count);
            }
            let rule = rule_of(view, names, state.frame);
            // SAFETY: `count` is below the room there is.
            unsafe { store.found().add(count).write(Found { state, rule }) };
            count += 1;
            match step(rule, state, &mut self.bounds) {
                Ok(caller) => state = caller,
                Err(end) => return (Stop::Ended(end), count),
            }
        }
    }

    /// Appends the `count` frames found, outermost first, to the `join` entries that are known; the
    /// number of the innermost.
    #[inline(always)]
    fn append<N: StackNames>(
        &mut self,
        store: Store,
        names: &N,
        parent: u32,
        join: usize,
        count: usize,
    ) -> u32 {
        let mut node = parent;
        let (mut words, mut needs_fp) = match join {
            0 => (0, false),
            // SAFETY: entries below `len` are written.
            _ => unsafe {
                let last = &*store.entries().add(join - 1);
                (last.words, last.is_fp_live)
            },
        };
        self.len = join;
        for index in (0..count).rev() {
            // SAFETY: `walk` has written so many.
            let Found { state, rule } = unsafe { store.found().add(index).read() };
            node = if rule.number() == 0 { 0 } else { names.child(node, rule.number()) };
            if node == 0 {
                return 0;
            }
            words_read(rule, state, needs_fp, |address| {
                // SAFETY: the step has read the word, or ended there and its caller's have; there
                // is room for three words of every entry.
                unsafe {
                    store.words().add(words as usize).write(Word { address, value: word(address) });
                }
                words += 1;
            });
            needs_fp = is_fp_live(rule, needs_fp);
            let State { frame, sp, fp } = state;
            let entry = Entry { frame, sp, fp, node, words, is_fp_live: needs_fp };
            // SAFETY: `join + count` is at most the number of entries.
            unsafe {
                store.entries().add(self.len).write(entry);
                store.hint(sp).write(self.len as u16);
            }
            self.len += 1;
        }
        node
    }
}
