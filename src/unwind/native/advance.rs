//! The short way of a capture: a few new frames on top of frames that are known.
//!
//! Most stacks that differ from the last share all but their innermost frames with it. Where every
//! rule is at hand and a common one, every word is in the window, and every stack has its number at
//! hand, nothing is to be asked of anybody: what is left fits into registers. Whatever is otherwise
//! takes the long way ([`Stack::capture`]), which does the same in general.

use super::cache::Limit;
use super::last::Last;
use super::names::{Registers, StackNames};
use super::stack::Stack;
use super::step::{State, is_fp_live, keep_common_words, step_inside};
use super::store::{DEPTH_MAX, Entry, Found, Store};
use super::table::{Rules, View};

/// New frames, at most; more are rare, and then the way there is not what a capture costs.
const FRAMES_MAX: usize = 32;

/// Where a short walk has come to.
#[derive(Clone, Copy, Debug)]
struct Joined {
    /// Entries that are known.
    join: usize,
    /// New frames, in the store; behind them is the state of the last entry that is known.
    count: usize,
}

impl Stack {
    /// The number of another stack than the last, which shares at most the first `limit` words; or
    /// how many it may share, for the long way. `caller` is the calling thread's own.
    #[inline(always)]
    pub(super) fn advance<N: StackNames + Copy>(
        &mut self,
        rules: &Rules,
        names: N,
        caller: Registers,
        mut limit: Limit,
    ) -> Result<u32, Limit> {
        let view = rules.view();
        let is_current = self.generation == view.generation() && !view.is_empty();
        let Some(store) = self.store.filter(|_| is_current) else { return Err(limit) };
        let start = State::of_known(caller, &self.bounds).ok_or(limit)?;
        if let Some(index) = self.known_entry(store, &start, &mut limit) {
            // SAFETY: it is below `len`, so it is written.
            let entry = unsafe { &*store.entries().add(index) };
            // SAFETY: as above.
            self.last = unsafe { Last::of(entry) };
            return Ok(entry.node);
        }
        let looks = self.odds.favour();
        if looks && let Some(node) = self.find_top(store, start.frame, (start.sp, start.fp), limit)
        {
            self.odds.won();
            return Ok(node);
        }
        let joined = self.walk_at_hand(store, view, start, limit)?;
        let node = self.append_at_hand(store, names, joined);
        if node != 0 && looks {
            self.odds.lost();
            self.keep_top(store, joined.join);
        }
        // What was found while a module came or went is not to be relied on.
        if node == 0 || view.is_stale() { Err(Limit::NONE) } else { Ok(node) }
    }

    /// Unwinds from a frame that is not known until one that is, as far as everything is at hand.
    #[inline(always)]
    fn walk_at_hand(
        &self,
        store: Store,
        view: View<'_>,
        start: State,
        mut limit: Limit,
    ) -> Result<Joined, Limit> {
        let mut state = start;
        for count in 1..=FRAMES_MAX {
            // SAFETY: the view is not empty: the caller has seen to it.
            let rule = unsafe { view.find_plain(state.frame) }.ok_or(limit)?;
            // SAFETY: there is more room than that.
            let found = unsafe { store.found().add(count - 1) };
            // SAFETY: as above.
            unsafe { found.write(Found { state, rule }) };
            state = step_inside(rule, state, &self.bounds).ok_or(limit)?;
            if let Some(index) = self.known_entry(store, &state, &mut limit) {
                // SAFETY: as above.
                unsafe { (&raw mut (*found.add(1)).state).write(state) };
                let fits = index + 1 + count <= DEPTH_MAX;
                return if fits { Ok(Joined { join: index + 1, count }) } else { Err(limit) };
            }
        }
        Err(limit)
    }

    /// Appends the frames found to those that are known; the number of the innermost, or 0: there
    /// is no room for it.
    #[inline(always)]
    fn append_at_hand<N: StackNames + Copy>(
        &mut self,
        store: Store,
        names: N,
        Joined { join, count }: Joined,
    ) -> u32 {
        // SAFETY: entries below `len` are written, and `0 < join <= len`.
        let last = unsafe { &*store.entries().add(join - 1) };
        let (mut node, mut words, mut needs_fp) = (last.node, last.words(), last.is_fp_live());
        // Until the end of the loop no entry beyond `len` counts.
        (self.len, self.last) = (join, Last::NONE);
        for (index, len) in (0..count).rev().zip(join..) {
            // SAFETY: `walk_at_hand` has written so many, and the state of one more.
            let (found, outer) = unsafe {
                let found = store.found().add(index);
                (&*found, &raw const (*found.add(1)).state)
            };
            let rule = found.rule;
            let child = names.child_at_hand(node, rule.number());
            // SAFETY: as above. Read when it is needed: there are few registers.
            let caller = unsafe { outer.read() };
            if child == 0 {
                return self.append_rest(store, names, node, (len, caller), index + 1);
            }
            node = child;
            // Word by word, as they were just written: two at once would have to wait for that.
            // SAFETY: as above.
            let sp = unsafe { (&raw const found.state.sp).read_volatile() };
            let state = State { sp, ..found.state };
            // SAFETY: the walk has made the step, and there is room for three words of every entry.
            words += unsafe {
                keep_common_words(rule, needs_fp, caller, store.words().add(words as usize))
            };
            needs_fp = is_fp_live(rule, needs_fp);
            // SAFETY: `len` and what is left of `count` are at most the number of entries.
            unsafe {
                store.entries().add(len).write(Entry::new(state, node, words, needs_fp));
                store.hint(state.sp).write(len as u16);
            }
        }
        self.len = join + count;
        // SAFETY: that entry has been written: there is one, the last.
        self.last = unsafe { Last::of(store.entries().add(self.len - 1)) };
        node
    }

    /// The rest of [`Self::append_at_hand`], from a frame on whose stack has its number elsewhere.
    #[inline(never)]
    fn append_rest<N: StackNames + Copy>(
        &mut self,
        store: Store,
        names: N,
        parent: u32,
        joined: (usize, State),
        count: usize,
    ) -> u32 {
        self.append(store, names, parent, Some(joined), count)
    }
}

#[cfg(test)]
mod tests {
    use super::super::names::{End, Frame};
    use super::super::{Rules, StackCache, State, walk};
    use super::{Limit, Registers};
    use crate::unwind::tests::Names;
    use core::cell::Cell;
    use core::hint::black_box;
    use std::vec::Vec;

    /// A thread's captures, each by the way that knows it first, and what a walk says.
    struct World {
        rules: Rules,
        names: Names,
        cache: StackCache,
        known: Cell<usize>,
        advanced: Cell<usize>,
        others: Cell<usize>,
    }

    impl World {
        fn new() -> Self {
            let [known, advanced, others] = [0; 3].map(Cell::new);
            let (rules, names, cache) = (Rules::new(), Names::default(), StackCache::new());
            Self { rules, names, cache, known, advanced, others }
        }

        fn counts(&self) -> [usize; 3] {
            [self.known.get(), self.advanced.get(), self.others.get()]
        }
    }

    /// Captures the stack of its caller, whose registers it passes on.
    #[unsafe(naked)]
    extern "C" fn capture(world: &World) {
        core::arch::naked_asm!(
            ".cfi_startproc", "mov rsi, rsp", "mov rdx, rbp", "jmp {}", ".cfi_endproc",
            sym captured
        )
    }

    extern "C" fn captured(world: &World, sp: usize, fp: usize) {
        let World { rules, names, cache, .. } = world;
        let caller = Registers { sp, fp };
        let (node, count) = match cache.known(rules, caller) {
            Ok(node) => (node, &world.known),
            Err(limit) => match cache.advance(rules, names, caller, limit) {
                Ok(node) => (node, &world.advanced),
                Err(limit) => {
                    let node = cache.capture_after(rules, names, caller, limit);
                    (node.expect("nobody else is in there"), &world.others)
                }
            },
        };
        count.set(count.get() + 1);
        let mut frames = [Frame::NONE; 512];
        let found = walk(rules, State::of_caller(caller).unwrap(), &mut frames);
        assert_eq!(found.end, End::Root);
        let found: Vec<_> = frames[..found.len].iter().map(|frame| frame.pc()).collect();
        assert_eq!(names.path(node), found);
    }

    /// Random recursion by several ways, also through code that calls back.
    #[inline(never)]
    fn tree(depth: usize, seed: &mut u64, world: &World) {
        *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        let choice = *seed >> 60;
        if choice & 1 != 0 {
            capture(world);
        }
        if depth == 0 {
            return capture(world);
        }
        if choice & 2 != 0 {
            tree(depth - 1, seed, world);
            black_box(());
        }
        if choice & 4 != 0 {
            // Of another height on the stack, at the same depth.
            black_box([*seed; 9]);
            wide(depth - 1, seed, world);
            black_box(());
        }
        if choice & 8 != 0 {
            let mut list = [3, 1, 2];
            list.sort_by(|a: &i32, b| {
                if *a == 3 {
                    tree(depth.saturating_sub(3), seed, world);
                }
                a.cmp(b)
            });
        }
    }

    #[inline(never)]
    fn wide(depth: usize, seed: &mut u64, world: &World) {
        let room = black_box([*seed; 40]);
        tree(depth, seed, world);
        black_box(&room);
        capture(world);
    }

    #[test]
    fn every_way_gives_the_stack_that_a_walk_finds() {
        let world = World::new();
        let mut seed = 7;
        for round in 0..200 {
            if round % 50 == 49 {
                world.rules.invalidate();
            }
            tree(12, &mut seed, &world);
        }
        let [_, advanced, others] = world.counts();
        assert!(advanced > 1000 && advanced > 2 * others, "{:?}", world.counts());
    }

    #[inline(never)]
    fn repeat<const TIMES: usize>(world: &World) {
        for _ in 0..TIMES {
            capture(black_box(world));
        }
    }

    #[test]
    fn each_stack_is_found_by_the_shortest_way_that_knows_it() {
        let world = World::new();
        repeat::<3>(&world);
        assert_eq!(world.counts(), [2, 0, 1], "the first, and twice the same");
        let before = world.counts();
        for _ in 0..2 {
            black_box(deeper(4, &world));
            black_box(deeper(2, &world));
        }
        let [known, advanced, others] = world.counts();
        assert_eq!(known, before[0]);
        assert_eq!(others, before[2] + 2, "rules that are not at hand, first");
        assert_eq!(advanced, before[1] + 2, "then those that are");
        // Rules that are forgotten are not at hand either.
        world.rules.invalidate();
        black_box(deeper(4, &world));
        assert_eq!(world.counts(), [known, advanced, others + 1]);
    }

    #[inline(never)]
    fn deeper(depth: usize, world: &World) -> usize {
        if depth > 0 {
            return black_box(deeper(depth - 1, world)) + 1;
        }
        capture(world);
        0
    }

    #[test]
    fn a_busy_cache_is_left_alone() {
        let world = World::new();
        repeat::<2>(&world);
        let before = world.counts();
        let _busy = world.cache.enter().expect("nobody is in there");
        let caller = Registers { sp: &raw const before as usize, fp: 0 };
        let refused = world.cache.advance(&world.rules, &world.names, caller, Limit(5));
        assert!(matches!(refused, Err(Limit(5))));
    }
}
