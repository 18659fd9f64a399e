//! What changed between two ledgers, by call stack.
//!
//! Addresses differ from run to run. A frame is the same in both ledgers if it lies at the same
//! offset of the same file (by build id, or by path where there is none), or, of programs that were
//! rebuilt in between, if it is called the same.

use std::collections::{BTreeSet, HashMap};

use heapsight::ledger::{Counters, FrameKind, Snapshot};

use super::metric::{Metric, absorb};
use super::names::Names;
use super::stacks::{Stack, label};

/// How frames of two ledgers are matched.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Match {
    /// By file and offset: exact, for two runs of one build
    Offset,
    /// By the names of functions: for programs that were rebuilt
    Function,
}

/// What became of a call stack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fate {
    New,
    Grown,
    Shrunk,
    Gone,
}

impl Fate {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Grown => "grown",
            Self::Shrunk => "shrunk",
            Self::Gone => "gone",
        }
    }
}

/// One call stack in both ledgers.
#[derive(Clone, Debug, Default)]
pub(crate) struct Pair {
    /// Its node in the first and in the second ledger.
    pub(crate) nodes: [Option<u32>; 2],
    pub(crate) counters: [Counters; 2],
}

impl Pair {
    /// How much more the second ledger has.
    pub(crate) fn change(&self, metric: Metric) -> i128 {
        let [before, after] = self.values(metric);
        i128::from(after) - i128::from(before)
    }

    pub(crate) fn values(&self, metric: Metric) -> [u64; 2] {
        [0, 1].map(|side: usize| metric.of(&self.counters[side], &[]))
    }

    /// None if the value did not change.
    pub(crate) fn fate(&self, metric: Metric) -> Option<Fate> {
        match self.values(metric) {
            [before, after] if before == after => None,
            [0, _] => Some(Fate::New),
            [_, 0] => Some(Fate::Gone),
            [before, after] if before < after => Some(Fate::Grown),
            _ => Some(Fate::Shrunk),
        }
    }
}

/// Call stacks by their numbers in a table that two ledgers share.
#[derive(Debug, Default)]
struct Stacks {
    frames: HashMap<Key, u32>,
    nodes: HashMap<(u32, u32), u32>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
enum Key {
    Place { file: Vec<u8>, offset: u64 },
    Absolute(u64),
    Ending,
    Name(String),
}

impl Stacks {
    fn frame(&mut self, key: Key) -> u32 {
        let next = self.frames.len() as u32;
        *self.frames.entry(key).or_insert(next)
    }

    fn node(&mut self, parent: u32, frame: u32) -> u32 {
        let next = self.nodes.len() as u32 + 1;
        *self.nodes.entry((parent, frame)).or_insert(next)
    }

    /// The shared number of each node of a ledger, by place.
    fn by_offset(&mut self, snapshot: &Snapshot) -> Vec<u32> {
        let frames: Vec<_> =
            snapshot.frames.iter().map(|frame| self.frame(key(snapshot, frame))).collect();
        let mut numbers = vec![0u32; snapshot.nodes.len()];
        for (index, node) in snapshot.nodes.iter().enumerate().skip(1) {
            let parent =
                if (node.parent as usize) < index { numbers[node.parent as usize] } else { 0 };
            let frame = frames.get(node.frame as usize).copied().unwrap_or(u32::MAX);
            numbers[index] = self.node(parent, frame);
        }
        numbers
    }

    /// The shared number of one stack, by the names of the program's functions.
    fn by_name(&mut self, stack: &Stack<'_>) -> u32 {
        let end = stack.ending.map(|_| Key::Ending);
        let names = stack.program().iter().rev();
        let keys = end.into_iter().chain(names.map(|call| Key::Name(label(&call.frame).into())));
        keys.fold(0, |parent, key| {
            let frame = self.frame(key);
            self.node(parent, frame)
        })
    }
}

fn key(snapshot: &Snapshot, frame: &heapsight::ledger::Frame) -> Key {
    if let FrameKind::Ending(_) = frame.kind {
        return Key::Ending;
    }
    match frame.module.and_then(|number| snapshot.modules.get(number)) {
        None => Key::Absolute(frame.address),
        Some(module) => {
            let is_named = module.build_id.is_empty();
            let file = if is_named { module.path.clone().into() } else { module.build_id.clone() };
            Key::Place { file, offset: frame.address.wrapping_sub(module.bias) }
        }
    }
}

/// All call stacks of both ledgers, in no order.
pub(crate) fn pairs(sides: [(&Snapshot, &Names); 2], by: Match) -> Vec<Pair> {
    let mut stacks = Stacks::default();
    let mut pairs = HashMap::<u32, Pair>::new();
    for (side, (snapshot, names)) in sides.into_iter().enumerate() {
        let numbers = match by {
            Match::Offset => stacks.by_offset(snapshot),
            Match::Function => Vec::new(),
        };
        for (_, site) in snapshot.used_sites() {
            let number = match by {
                Match::Offset => numbers.get(site.node as usize).copied().unwrap_or(0),
                Match::Function => stacks.by_name(&Stack::of(snapshot, names, site.node)),
            };
            let pair = pairs.entry(number).or_default();
            pair.nodes[side].get_or_insert(site.node);
            absorb(&mut pair.counters[side], &site.counters);
        }
    }
    pairs.into_values().collect()
}

/// Those whose value changed, the largest change first.
pub(crate) fn changed(mut pairs: Vec<Pair>, metric: Metric) -> Vec<Pair> {
    pairs.retain(|pair| pair.change(metric) != 0);
    pairs.sort_by_key(|pair| (std::cmp::Reverse(pair.change(metric).unsigned_abs()), pair.nodes));
    pairs
}

/// Files that both ledgers have by path, but of different builds.
pub(crate) fn rebuilt<'a>(before: &'a Snapshot, after: &Snapshot) -> BTreeSet<&'a str> {
    let builds: HashMap<_, _> =
        after.modules.iter().map(|module| (module.path.as_str(), &module.build_id)).collect();
    let is_rebuilt = |(path, id): &(&str, &Vec<u8>)| {
        !id.is_empty() && builds.get(path).is_some_and(|other| other != id)
    };
    let modules = before.modules.iter().map(|module| (module.path.as_str(), &module.build_id));
    modules.filter(is_rebuilt).map(|(path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;
    use proptest::prelude::*;

    fn diff(before: &Snapshot, after: &Snapshot) -> Vec<Pair> {
        let names = Names::new(false);
        let pairs = pairs([(before, &names), (after, &names)], Match::Offset);
        changed(pairs, Metric::Live)
    }

    #[test]
    fn a_shifted_program_is_the_same_program() {
        let before = sample::snapshot();
        let mut after = before.clone();
        for module in &mut after.modules {
            module.bias += 0x10_0000;
        }
        for frame in &mut after.frames {
            frame.address += 0x10_0000;
        }
        assert_eq!(diff(&before, &after).len(), 0);
        after.modules[0].build_id = vec![9];
        assert!(!diff(&before, &after).is_empty());
        assert_eq!(rebuilt(&before, &after).len(), 1);
    }

    #[test]
    fn each_fate_is_told() {
        let before = sample::snapshot();
        let mut after = before.clone();
        let live: Vec<_> = before.sites.iter().map(|site| site.counters.live_bytes).collect();
        assert!(live[2] > 0 && live[3] == 0, "{live:?}");
        after.sites[3].counters.live_bytes = 7;
        after.sites[2].counters.live_bytes += 1;
        let changes = diff(&before, &after);
        let fates: Vec<_> = changes.iter().filter_map(|pair| pair.fate(Metric::Live)).collect();
        assert_eq!(fates, [Fate::New, Fate::Grown]);
        let changes = diff(&after, &before);
        let fates: Vec<_> = changes.iter().filter_map(|pair| pair.fate(Metric::Live)).collect();
        assert_eq!(fates, [Fate::Gone, Fate::Shrunk]);
    }

    proptest! {
        #[test]
        fn nothing_changes_between_a_ledger_and_itself(
            snapshot in sample::any_snapshot(), other in sample::any_snapshot()
        ) {
            prop_assert!(diff(&snapshot, &snapshot).is_empty());
            let live = |snapshot: &Snapshot| -> i128 {
                snapshot.used_sites().map(|(_, site)| i128::from(site.counters.live_bytes)).sum()
            };
            let sum: i128 = diff(&snapshot, &other).iter().map(|it| it.change(Metric::Live)).sum();
            prop_assert_eq!(sum, live(&other) - live(&snapshot));
        }
    }
}
