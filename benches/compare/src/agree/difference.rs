//! What two recordings of a program differ in, and why. A difference is explained by a rule about
//! the call stack it is at, or it is not explained.

use std::collections::{BTreeMap, HashSet};

use super::recording::{Counts, Modules, Recording, Stack};

/// Of a program whose threads hand work to each other, this part of its blocks may depend on the
/// order in which they ran, and this part of its peak.
const ORDER_BLOCKS: f64 = 0.02;
const ORDER_PEAK: f64 = 0.5;

/// Why a figure differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// heaptrack's recorder loads the C++ library into the program, whose constructor allocates.
    Recorder,
    /// heaptrack has the C++ library free what it keeps, at exit.
    FreedAtExit,
    /// Thread-local storage has an entry for each module that has any, and the recorders differ.
    ThreadStorage,
    /// The same block, moved by realloc, is counted once or twice while it is copied.
    Moving,
    /// Threads ran in another order.
    Order,
    /// None of the others.
    Unknown,
}

impl Reason {
    /// The reason in the document's tables, and at length.
    pub fn text(self) -> (&'static str, &'static str) {
        match self {
            Self::Recorder => (
                "recorder's library",
                "heaptrack's recorder is written in C++ and brings libstdc++ (with libunwind and \
                 liblzma) into programs that have no use for it. libstdc++'s constructor sets \
                 72704 bytes aside for exceptions thrown when memory has run out: one block, \
                 there from start to end, and so part of the peak. Heapsight needs no library but \
                 libc",
            ),
            Self::FreedAtExit => (
                "freed at exit",
                "at exit heaptrack calls `__gnu_cxx::__freeres`, by which libstdc++ frees what it \
                 otherwise keeps to the end (those bytes for exceptions), so that it is no leak. \
                 Heapsight lets the program be: its ledger has the block in use, and its leak \
                 report tells what run-time libraries keep from leaks",
            ),
            Self::ThreadStorage => (
                "thread storage",
                "for each thread the loader allocates a vector of 16 bytes for each loaded module \
                 with thread-local variables. heaptrack's recorder and its libraries are such \
                 modules, so the same block is larger",
            ),
            Self::Moving => (
                "moved blocks",
                "a `realloc` that moves a block is one free and one allocation for both. \
                 heaptrack counts the free first; Heapsight counts as it is: while the block is \
                 copied, both are there. The peaks can differ by one moved block; heaptrack's \
                 own events, counted in the other order, give the upper limit",
            ),
            Self::Order => (
                "order of threads",
                "the program's threads hand work to each other, so which of them does it, how \
                 long queues get and how many blocks are in use at once is not the same in any \
                 two runs. At most 2 % of the blocks and half of the peak are explained by it",
            ),
            Self::Unknown => ("**unexplained**", "no rule explains it"),
        }
    }
}

/// A call stack that was not counted alike.
pub struct Difference {
    /// The stack.
    pub stack: Stack,
    /// By heaptrack and by Heapsight; nothing where it does not appear.
    pub sides: [Option<Counts>; 2],
    /// Why.
    pub reason: Reason,
}

/// The comparison of one program.
pub struct Outcome {
    /// What differs.
    pub differences: Vec<Difference>,
    /// Stacks that both have, and that both count alike.
    pub alike: usize,
    /// Why the peaks differ, if they do.
    pub peak: Option<Reason>,
    /// What does not add up, in sentences.
    pub broken: Vec<String>,
}

impl Outcome {
    /// Compares heaptrack's recording with Heapsight's.
    pub fn of(theirs: &Recording, ours: &Recording, modules: &Modules, has_threads: bool) -> Self {
        let mut differences = Vec::new();
        let mut alike = 0;
        let stacks: HashSet<&Stack> = theirs.stacks.keys().chain(ours.stacks.keys()).collect();
        for stack in stacks {
            let sides = [theirs, ours].map(|recording| recording.stacks.get(stack).copied());
            if sides[0] == sides[1] {
                alike += 1;
                continue;
            }
            let reason = reason(stack, sides, modules, has_threads);
            differences.push(Difference { stack: stack.clone(), sides, reason });
        }
        differences.sort_by_key(|one| (one.reason, std::cmp::Reverse(one.most_blocks())));
        let mut outcome = Self { differences, alike, peak: None, broken: Vec::new() };
        outcome.peak = outcome.peak(theirs, ours);
        outcome.check(theirs, ours);
        outcome
    }

    /// Blocks and bytes by reason: the number of stacks, and heaptrack's less Heapsight's.
    pub fn by_reason(&self) -> BTreeMap<Reason, (usize, [i64; 3])> {
        let mut sums: BTreeMap<Reason, (usize, [i64; 3])> = BTreeMap::new();
        for one in &self.differences {
            let (stacks, sum) = sums.entry(one.reason).or_default();
            *stacks += 1;
            for (sum, by) in sum.iter_mut().zip(one.by()) {
                *sum += by;
            }
        }
        sums
    }

    /// Why the peaks differ: what lives all the time is in it, and the rest is a matter of order.
    fn peak(&self, theirs: &Recording, ours: &Recording) -> Option<Reason> {
        let own = |reason| {
            let of_reason = self.differences.iter().filter(move |one| one.reason == reason);
            of_reason.map(|one| one.by()[1]).sum::<i64>()
        };
        let (recorder, storage) = (own(Reason::Recorder), own(Reason::ThreadStorage));
        let at = |peak: u64| peak.cast_signed() - recorder - storage;
        let (least, most) = (at(theirs.peak), at(theirs.peak_moving));
        let peak = ours.peak.cast_signed();
        let has_order = self.differences.iter().any(|one| one.reason == Reason::Order);
        match () {
            () if theirs.peak == ours.peak => None,
            () if peak == least => Some(Reason::Recorder),
            () if (least..=most).contains(&peak) => Some(Reason::Moving),
            () if has_order && (peak.abs_diff(least) as f64) < ORDER_PEAK * peak as f64 => {
                Some(Reason::Order)
            }
            () => Some(Reason::Unknown),
        }
    }

    fn check(&mut self, theirs: &Recording, ours: &Recording) {
        for (name, recording) in [("heaptrack", theirs), ("Heapsight", ours)] {
            if recording.sum() != recording.totals {
                let (sum, totals) = (recording.sum(), recording.totals);
                self.broken.push(format!(
                    "{name}'s call stacks sum up to {sum:?}, its totals are {totals:?}"
                ));
            }
        }
        if let Some((stacks, _)) = self.by_reason().get(&Reason::Unknown) {
            self.broken.push(format!("{stacks} call stacks differ without an explanation"));
        }
        if self.peak == Some(Reason::Unknown) {
            let (theirs, ours) = (theirs.peak, ours.peak);
            self.broken.push(format!("the peaks differ: {theirs} and {ours} bytes"));
        }
        let by_order = self.differences.iter().filter(|one| one.reason == Reason::Order);
        let blocks: u64 = by_order.map(|one| one.by()[0].unsigned_abs()).sum();
        if blocks as f64 > ORDER_BLOCKS * ours.totals.blocks as f64 {
            self.broken
                .push(format!("{blocks} blocks are more than the order of threads explains"));
        }
    }
}

impl Difference {
    /// Blocks, bytes and bytes never freed, heaptrack's less Heapsight's.
    pub fn by(&self) -> [i64; 3] {
        let of = |side: usize| {
            let counts = self.sides[side].unwrap_or_default();
            [counts.blocks, counts.bytes, counts.left_bytes].map(u64::cast_signed)
        };
        let (theirs, ours) = (of(0), of(1));
        [0, 1, 2].map(|index| theirs[index] - ours[index])
    }

    fn most_blocks(&self) -> u64 {
        self.sides.iter().flatten().map(|counts| counts.blocks).max().unwrap_or(0)
    }
}

/// The rule for a call stack.
fn reason(
    stack: &Stack,
    [theirs, ours]: [Option<Counts>; 2],
    modules: &Modules,
    has_threads: bool,
) -> Reason {
    let is_in = |place: usize, names: &[&str]| {
        stack.get(place).is_some_and(|(module, _)| {
            names.iter().any(|name| modules.name(*module).starts_with(name))
        })
    };
    let is_loaders = |from: usize| (from..stack.len()).all(|place| is_in(place, &["ld-linux"]));
    match (theirs, ours) {
        (Some(_), None) if is_in(0, &["libstdc++"]) && is_loaders(1) => Reason::Recorder,
        (Some(theirs), Some(ours))
            if (theirs.blocks, theirs.bytes) == (ours.blocks, ours.bytes)
                && theirs.left < ours.left
                && is_in(0, &["libstdc++"]) =>
        {
            Reason::FreedAtExit
        }
        (Some(theirs), Some(ours))
            if theirs.blocks == ours.blocks
                && theirs.left == ours.left
                && is_in(0, &["ld-linux"]) =>
        {
            Reason::ThreadStorage
        }
        _ if has_threads => Reason::Order,
        _ => Reason::Unknown,
    }
}
