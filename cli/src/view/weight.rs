//! The call stacks that trees and tables of shares are made of: those that weigh something.
//!
//! A ledger may have a hundred thousand call stacks, of which a few hundred have nearly all of the
//! bytes. Only those are symbolised; the others are one share without a name.

use heapsight::ledger::Snapshot;

use super::flat::{self, Entry};
use super::metric::Metric;
use super::names::Names;
use super::sites::{Row, ranked, value, weighty};
use super::stacks::{NO_STACK, Stack, ending_label, file_name, label};
use super::tree::{Labels, Share, Tree};

/// Hundredths of the whole that are looked at, in so many call stacks at most.
const PERCENT: u64 = 99;
const STACKS_MAX: usize = 5000;

/// Which way a call tree grows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Direction {
    /// From the allocating functions to who called them
    Callers,
    /// From `main` and the threads' functions to whom they called
    Callees,
}

/// What a share belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    Function,
    Module,
}

/// The heavy call stacks, chosen but without names yet.
#[derive(Debug)]
pub(crate) struct Chosen {
    metric: Metric,
    rows: Vec<Row>,
    others: usize,
    rest: u64,
}

/// The heavy call stacks.
#[derive(Debug)]
pub(crate) struct Weight<'a> {
    stacks: Vec<(Stack<'a>, Share)>,
    others: usize,
    rest: Share,
    /// The sum of the metric over all call stacks.
    pub(crate) total: u64,
}

impl Chosen {
    pub(crate) fn of(snapshot: &Snapshot, metric: Metric) -> Self {
        let rows = ranked(snapshot, metric);
        let (rows, others, rest) = weighty(snapshot, metric, rows, PERCENT, STACKS_MAX);
        Self { metric, rows, others, rest }
    }

    /// The nodes whose names are needed.
    pub(crate) fn nodes(&self) -> Vec<u32> {
        self.rows.iter().map(|row| row.node).collect()
    }

    pub(crate) fn weight<'a>(&self, snapshot: &'a Snapshot, names: &'a Names) -> Weight<'a> {
        let share = |row: &Row| Share {
            value: value(snapshot, self.metric, &row.counters),
            blocks: self.metric.blocks(&row.counters).unwrap_or(0),
        };
        let stack = |row: &Row| (Stack::of(snapshot, names, row.node), share(row));
        let stacks: Vec<_> = self.rows.iter().map(stack).collect();
        let shown = stacks.iter().map(|(_, share)| share.value).fold(0, u64::saturating_add);
        let rest = Share { value: self.rest, blocks: 0 };
        Weight { stacks, others: self.others, rest, total: shown.saturating_add(self.rest) }
    }
}

impl Weight<'_> {
    /// All of them as a tree.
    pub(crate) fn tree(&self, direction: Direction) -> (Labels, Tree) {
        let mut labels = Labels::default();
        let mut paths: Vec<_> = self.paths(&mut labels, By::Function).collect();
        if self.others > 0 {
            paths.push((vec![self.rest_label(&mut labels)], self.rest));
        }
        if direction == Direction::Callees {
            paths.iter_mut().for_each(|(path, _)| path.reverse());
        }
        (labels, Tree::of(paths))
    }

    /// All of them by function or module.
    pub(crate) fn flat(&self, by: By) -> (Labels, Vec<Entry>) {
        let mut labels = Labels::default();
        let mut paths: Vec<_> = self.paths(&mut labels, by).collect();
        if self.others > 0 {
            paths.push((vec![self.rest_label(&mut labels)], self.rest));
        }
        let entries = flat::entries(paths.iter().map(|(path, share)| (path.as_slice(), *share)));
        (labels, entries)
    }

    /// The program's part of each call stack, innermost first, with its ending as a name.
    fn paths<'s>(
        &'s self,
        labels: &'s mut Labels,
        by: By,
    ) -> impl Iterator<Item = (Vec<u32>, Share)> + 's {
        self.stacks.iter().map(move |(stack, share)| {
            let mut path: Vec<_> = stack
                .program()
                .iter()
                .map(|call| match (by, &call.frame.module) {
                    (By::Function, _) => labels.number(&label(&call.frame)),
                    (By::Module, Some(module)) => labels.number(file_name(module)),
                    (By::Module, None) => labels.number("[in no module]"),
                })
                .collect();
            match stack.ending {
                Some(reason) if by == By::Function => {
                    path.push(labels.number(ending_label(reason)))
                }
                None if path.is_empty() => path.push(labels.number(NO_STACK)),
                _ => {}
            }
            (path, *share)
        })
    }

    fn rest_label(&self, labels: &mut Labels) -> u32 {
        labels.number(&format!("[{} smaller call stacks]", self.others))
    }
}

#[cfg(test)]
mod tests {
    use super::super::sample;
    use super::*;

    #[test]
    fn both_trees_have_the_whole_and_folded_functions() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let chosen = Chosen::of(&snapshot, Metric::Count);
        let weight = chosen.weight(&snapshot, &names);
        assert_eq!(weight.total, snapshot.totals.total_allocations);
        let roots = |direction| {
            let (labels, tree) = weight.tree(direction);
            let name = |child: &usize| String::from(labels.name(tree.nodes[*child].label));
            tree.nodes[0].children.iter().map(name).collect::<Vec<_>>()
        };
        assert_eq!(roots(Direction::Callees)[0], "main");
        assert_eq!(roots(Direction::Callers)[..2], ["greet", "add_item"]);
        let (labels, entries) = weight.flat(By::Function);
        assert_eq!(labels.name(entries[0].label), "main");
        assert_eq!((entries[0].inclusive.value, entries[0].own.value), (1100, 0));
        let (labels, entries) = weight.flat(By::Module);
        assert_eq!((labels.name(entries[0].label), entries[0].own.value), ("shop", 1110));
    }
}
