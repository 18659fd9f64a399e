//! The last stack of a thread: what of it is still there, and what has to be unwound anew.

use super::bounds::Bounds;
use super::cache::Limit;
use super::front::{self, Cached, Odds};
use super::last::Last;
use super::names::{End, Frame, Registers, StackNames};
use super::step::{State, is_fp_live, keep_words, step, step_common};
use super::store::{DEPTH_MAX, Entry, Found, Store};
use super::table::{Rules, View};
use super::uncached::{number_of, root_of, rule_of, unwind_slowly};
use core::slice;

/// The last stack.
#[derive(Debug)]
pub(super) struct Stack {
    pub(super) store: Option<Store>,
    /// Entries in use.
    pub(super) len: usize,
    /// The innermost of them, or [`Last::NONE`].
    pub(super) last: Last,
    pub(super) generation: u64,
    pub(super) bounds: Bounds,
    pub(super) odds: Odds,
}

/// Where a walk stopped.
enum Stop {
    /// At a frame that the cache has, with as many entries as this; and in which state.
    Joined(usize, State),
    /// At the end.
    Ended(End),
}

/// How often a capture is begun again because a module came or went meanwhile.
const TRIES: usize = 4;

impl Stack {
    pub(super) const fn new() -> Self {
        Self {
            store: None,
            len: 0,
            last: Last::NONE,
            generation: 0,
            bounds: Bounds::EMPTY,
            odds: Odds::EVEN,
        }
    }

    /// The number of the last stack if it is this one; otherwise how many of its words may still be
    /// those of this one.
    #[inline(always)]
    pub(super) fn same(&self, rules: &Rules, caller: Registers) -> Result<u32, Limit> {
        let Some(store) = self.store.filter(|_| self.generation == rules.generation()) else {
            return Err(Limit::NONE);
        };
        // SAFETY: whoever changes entries sets it anew.
        unsafe { self.last.same(store, caller) }
    }

    /// The number of another stack than the last, which shares at most the first `limit` words.
    #[inline(always)]
    pub(super) fn capture<N: StackNames + Copy>(
        &mut self,
        rules: &Rules,
        names: N,
        start: State,
        limit: Limit,
    ) -> u32 {
        let State { frame, sp, fp } = start;
        let node = self.attempt(rules, names, start, limit);
        node.unwrap_or_else(|| self.try_again(rules, names, frame, (sp, fp)))
    }

    /// The rest of [`Self::capture`], when a module came or went meanwhile, or the stack is too
    /// deep. Tries after the first find an empty cache.
    #[cold]
    #[inline(never)]
    fn try_again<N: StackNames + Copy>(
        &mut self,
        rules: &Rules,
        names: N,
        frame: Frame,
        (sp, fp): (usize, usize),
    ) -> u32 {
        let start = State { frame, sp, fp };
        // The first may have made room.
        for _ in 1..=TRIES {
            if let Some(node) = self.attempt(rules, names, start, Limit::NONE) {
                return node;
            }
        }
        (self.len, self.last) = (0, Last::NONE);
        let view = rules.view();
        self.store.map_or(0, |store| unwind_slowly(store, view, names, start))
    }

    /// `None`: what was found is not to be relied on.
    #[inline(always)]
    fn attempt<N: StackNames + Copy>(
        &mut self,
        rules: &Rules,
        names: N,
        start: State,
        limit: Limit,
    ) -> Option<u32> {
        let view = rules.view();
        self.last = Last::NONE;
        if self.generation != view.generation() {
            self.generation = view.generation();
            self.len = 0;
        }
        let store = match self.store {
            Some(store) if !view.is_empty() => store,
            _ => return self.prepare(rules),
        };
        let looks = self.odds.favour();
        if looks && let Some(node) = self.find_top(store, start.frame, (start.sp, start.fp), limit)
        {
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
                    self.keep_top(store, join);
                }
                node
            }
            // Deeper than the cache: what is cut off must not depend on what was cached.
            Stop::Joined(..) => {
                self.len = 0;
                return None;
            }
            Stop::Ended(End::Root) => self.append(store, names, 0, None, count),
            Stop::Ended(end) => self.cut_off(store, view, names, (end, count)),
        };
        (!view.is_stale()).then_some(node)
    }

    fn cached(&self, store: Store) -> Cached {
        Cached { store, len: self.len, generation: self.generation }
    }

    /// The number of a stack whose top is known. Its state comes in registers: it is not to be in
    /// memory for this.
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub(super) fn find_top(
        &self,
        store: Store,
        frame: Frame,
        (sp, fp): (usize, usize),
        limit: Limit,
    ) -> Option<u32> {
        front::find(&self.cached(store), &State { frame, sp, fp }, limit.0)
    }

    /// Keeps the top of the stack that was found last.
    #[inline(never)]
    pub(super) fn keep_top(&self, store: Store, join: usize) {
        // SAFETY: `walk` has written the frame that it started from.
        let start = unsafe { (*store.found()).state };
        front::keep(&self.cached(store), &start, join);
    }

    /// The number of a stack whose root was not reached.
    #[cold]
    #[inline(never)]
    fn cut_off<N: StackNames + Copy>(
        &mut self,
        store: Store,
        view: View<'_>,
        names: N,
        (end, count): (End, usize),
    ) -> u32 {
        self.len = 0;
        if end == End::Unsupported {
            // SAFETY: `walk` has written the frame that it started from.
            return unwind_slowly(store, view, names, unsafe { (*store.found()).state });
        }
        let Some(root) = root_of(names, end) else { return 0 };
        if end == End::NoInfo {
            return self.append(store, names, root, None, count);
        }
        // What was cut off may be there next time, or must not be read: nothing is kept.
        // SAFETY: `walk` has written so many.
        let found = unsafe { slice::from_raw_parts(store.found(), count) };
        number_of(names, root, found.iter().rev().map(|found| found.rule.number()))
    }

    /// Maps what a capture needs, once; `None`: it may be begun again.
    #[cold]
    #[inline(never)]
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn prepare(&mut self, rules: &Rules) -> Option<u32> {
        self.store = self.store.or_else(Store::reserve);
        if self.store.is_some() && rules.prepare() { None } else { Some(0) }
    }

    /// Unwinds from a frame that is not known until one that is, and rests on at most `limit`
    /// words, or the end; the frames found are in the store, so many. There are rules.
    #[inline(always)]
    fn walk<N: StackNames + Copy>(
        &mut self,
        store: Store,
        view: View<'_>,
        names: N,
        start: State,
        mut limit: Limit,
    ) -> (Stop, usize) {
        let mut state = start;
        let mut count = 0;
        while count < DEPTH_MAX {
            // SAFETY: `count` is below the room there is.
            let found = unsafe { store.found().add(count) };
            count += 1;
            // SAFETY: there are rules.
            let caller = match unsafe { view.find_plain(state.frame) } {
                Some(rule) => {
                    // SAFETY: as above.
                    unsafe { found.write(Found { state, rule }) };
                    step_common(rule, state, &mut self.bounds)
                }
                None => {
                    let rule = rule_of(view, names, state.frame);
                    // SAFETY: as above.
                    unsafe { found.write(Found { state, rule }) };
                    step(rule, state, &mut self.bounds)
                }
            };
            match caller {
                Ok(caller) => state = caller,
                Err(end) => return (Stop::Ended(end), count),
            }
            if let Some(index) = self.known_entry(store, &state, &mut limit) {
                return (Stop::Joined(index + 1, state), count);
            }
        }
        (Stop::Ended(End::Truncated), count)
    }

    /// The entry whose frame is `state`, if its callers are the same, too. `limit`: as many words
    /// may be.
    #[inline(always)]
    pub(super) fn known_entry(
        &self,
        store: Store,
        state: &State,
        limit: &mut Limit,
    ) -> Option<usize> {
        // SAFETY: hints are always there.
        let index = usize::from(unsafe { store.hint(state.sp).read() });
        if index >= self.len {
            return None;
        }
        // SAFETY: entries below `len` are written.
        let entry = unsafe { &*store.entries().add(index) };
        if !entry.is(state) || entry.words() > limit.0 {
            return None;
        }
        // SAFETY: the frame is on this thread's stack, just as it was.
        match unsafe { entry.first_difference(store) } {
            None => Some(index),
            Some(word) => {
                *limit = Limit(word as u32);
                None
            }
        }
    }

    /// Appends the `count` frames found, outermost first, to those that are known, as many as
    /// `joined` says, where the walk came to the last of them in that state; the number of the
    /// innermost.
    #[inline(always)]
    pub(super) fn append<N: StackNames + Copy>(
        &mut self,
        store: Store,
        names: N,
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
            (len, caller) = (join, Some((state.frame, state.sp)));
            (words, needs_fp) = (last.words(), last.is_fp_live());
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
            caller = Some((state.frame, state.sp));
            // SAFETY: `len` and what is left of `count` are at most the number of entries.
            unsafe {
                store.entries().add(len).write(Entry::new(state, node, words, needs_fp));
                store.hint(state.sp).write(len as u16);
            }
            len += 1;
        }
        self.len = len;
        if node != 0 && len > 0 {
            // SAFETY: that entry is the last that was written.
            self.last = unsafe { Last::of(store.entries().add(len - 1)) };
        }
        node
    }
}
