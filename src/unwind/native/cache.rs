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
use super::front::{self, Odds};
use super::names::{End, Frame, Registers, StackNames};
use super::rule::{Kind, Rule};
use super::slow;
use super::step::{State, is_fp_live, step, word, words_read};
use super::store::{DEPTH_MAX, Entry, Found, Store, Word};
use super::table::{Rules, View};
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
    /// Entries that there ever were.
    serial: u64,
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

impl StackCache {
    pub(crate) const fn new() -> Self {
        let stack = Stack {
            store: None,
            len: 0,
            generation: 0,
            bounds: Bounds::EMPTY,
            serial: 0,
            odds: Odds::EVEN,
        };
        Self { is_busy: AtomicBool::new(false), stack: UnsafeCell::new(stack) }
    }

    /// The number of the stack from `caller` outwards; 0 if it could not be stored. `None`: there
    /// is no stack to see, as when a signal has interrupted this thread in here.
    ///
    /// Only the thread whose cache this is may ask, for its own stack, and always with the same
    /// rules and names.
    #[inline]
    pub(crate) fn capture<N: StackNames>(
        &self,
        rules: &Rules,
        names: &N,
        caller: Registers,
    ) -> Option<u32> {
        self.alone(|stack| {
            let start = State::of(caller, &mut stack.bounds)?;
            Some(stack.capture(rules, names, start))
        })
    }

    /// As [`Self::capture`], from a state of the thread's.
    #[inline]
    pub(crate) fn capture_from<N: StackNames>(
        &self,
        rules: &Rules,
        names: &N,
        start: State,
    ) -> Option<u32> {
        self.alone(|stack| {
            let is_there = stack.bounds.enter(start.sp);
            is_there.then(|| stack.capture(rules, names, start))
        })
    }

    /// Does something with the stack unless this thread is doing so already.
    #[inline(always)]
    fn alone<T>(&self, action: impl FnOnce(&mut Stack) -> Option<T>) -> Option<T> {
        if self.is_busy.load(Ordering::Relaxed) {
            return None;
        }
        self.is_busy.store(true, Ordering::Relaxed);
        compiler_fence(Ordering::SeqCst);
        // SAFETY: only this thread comes here, and not twice at a time.
        let result = action(unsafe { &mut *self.stack.get() });
        compiler_fence(Ordering::SeqCst);
        self.is_busy.store(false, Ordering::Relaxed);
        result
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
    #[inline(always)]
    fn capture<N: StackNames>(&mut self, rules: &Rules, names: &N, start: State) -> u32 {
        match self.same(rules, &start) {
            Ok(node) => node,
            Err(limit) => self.capture_changed(rules, names, start, limit),
        }
    }

    /// The number of the last stack if it is this one, or continues it inwards; otherwise how many
    /// of its words may still be those of this one.
    #[inline(always)]
    fn same(&self, rules: &Rules, start: &State) -> Result<u32, usize> {
        let Some(store) = self.store.filter(|_| self.generation == rules.generation()) else {
            return Err(usize::MAX);
        };
        // SAFETY: hints are always there.
        let index = usize::from(unsafe { store.hint(start.sp).read() });
        if index >= self.len {
            return Err(usize::MAX);
        }
        // SAFETY: entries below `len` are written.
        let entry = unsafe { &*store.entries().add(index) };
        if !entry.is(start) {
            return Err(usize::MAX);
        }
        // SAFETY: the frame is on this thread's stack, just as it was.
        match unsafe { Word::first_difference(store.words(), entry.words as usize) } {
            None => Ok(entry.node),
            Some(word) => Err(word),
        }
    }

    /// As [`Self::capture`], when at most the first `limit` words are the same.
    #[inline(never)]
    fn capture_changed<N: StackNames>(
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
            if looks && let Some(node) = front::find(store, &start, self.len, limit) {
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
                        front::keep(store, &start, join, self.len);
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
            self.serial += 1;
            let State { frame, sp, fp } = state;
            let entry =
                Entry { frame, sp, fp, node, words, is_fp_live: needs_fp, serial: self.serial };
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

/// The stack that stands for the callers nobody knows of.
fn root_of<N: StackNames>(names: &N, end: End) -> Option<u32> {
    if end == End::Root {
        return Some(0);
    }
    let ending = Some(names.ending(end)).filter(|frame| *frame != 0)?;
    Some(names.child(0, ending)).filter(|node| *node != 0)
}

/// The number of the stack that is `root` and then `frames`, outermost first; 0 if one of them has
/// none.
fn number_of<N: StackNames>(names: &N, root: u32, frames: impl Iterator<Item = u32>) -> u32 {
    let child = |parent, frame| match frame {
        0 => None,
        frame => Some(names.child(parent, frame)).filter(|node| *node != 0),
    };
    { frames }.try_fold(root, child).unwrap_or(0)
}

/// The number of a stack that has a frame which only the slow path understands, or whose rules were
/// forgotten again and again. Its callers may depend on more registers than an entry has, so
/// nothing of it is kept.
#[cold]
#[inline(never)]
fn unwind_slowly<N: StackNames>(store: Store, view: &View<'_>, names: &N, start: State) -> u32 {
    // SAFETY: the room for frames found is ours, and a frame is smaller and any word.
    let frames = unsafe { slice::from_raw_parts_mut(store.found().cast::<Frame>(), DEPTH_MAX) };
    let walk = slow::walk(start, frames);
    let Some(root) = root_of(names, walk.end) else { return 0 };
    let numbers = frames.iter().take(walk.len).rev();
    number_of(names, root, numbers.map(|frame| rule_of(view, names, *frame).number()))
}

/// The rule of a frame, with a number unless there is no room for one.
#[inline(always)]
fn rule_of<N: StackNames>(view: &View<'_>, names: &N, frame: Frame) -> Rule {
    match view.find(frame) {
        Some(rule) if rule.number() != 0 && rule.kind() != Kind::NoInfo => rule,
        _ => view.learn(frame, &|frame| names.frame(frame.pc(), frame.is_exact())),
    }
}
