//! A ledger in the formats of other viewers.
//!
//! In the library only `format` and `report` know bytes on a disk or a wire; in the command it is
//! this folder, one file a format. All start from a [`Profile`], call stacks with their names, and
//! write into a sink.

pub(crate) mod collapsed;
pub(crate) mod firefox;
pub(crate) mod flamegraph;
pub(crate) mod heaptrack;
pub(crate) mod pprof;
#[cfg(test)]
mod readers;
pub(crate) mod replay;
pub(crate) mod speedscope;

use heapsight::ledger::{Counters, Snapshot};

use crate::view::metric::Metric;
use crate::view::names::Names;
use crate::view::sites::{ranked, value};
use crate::view::stacks::{Call, NO_STACK, Stack, ending_label, label};

/// What is exported: every call stack, in the ledger's order.
#[derive(Debug)]
pub(crate) struct Profile<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) entries: Vec<Entry<'a>>,
}

/// One call stack.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    pub(crate) stack: Stack<'a>,
    pub(crate) counters: Counters,
}

impl<'a> Profile<'a> {
    /// The nodes whose names an export needs.
    pub(crate) fn nodes(snapshot: &Snapshot) -> Vec<u32> {
        snapshot.used_sites().map(|(_, site)| site.node).collect()
    }

    pub(crate) fn of(snapshot: &'a Snapshot, names: &'a Names) -> Self {
        let mut rows = ranked(snapshot, Metric::Count);
        rows.sort_by_key(|row| row.site);
        let entry = |row: crate::view::sites::Row| Entry {
            stack: Stack::of(snapshot, names, row.node),
            counters: row.counters,
        };
        Self { snapshot, entries: rows.into_iter().map(entry).collect() }
    }

    /// A metric of a call stack.
    pub(crate) fn value(&self, metric: Metric, entry: &Entry<'_>) -> u64 {
        value(self.snapshot, metric, &entry.counters)
    }

    /// `shop (pid 31137)`.
    pub(crate) fn title(&self) -> String {
        let process = &self.snapshot.process;
        format!("{} (pid {})", process.program, process.pid)
    }
}

impl Entry<'_> {
    /// What there is instead of calls: the reason why the stack ends early, or is not there.
    pub(crate) fn ending(&self) -> Option<&'static str> {
        match self.stack.ending {
            Some(reason) => Some(ending_label(reason)),
            None if self.stack.calls.is_empty() => Some(NO_STACK),
            None => None,
        }
    }

    /// Names from the root to the allocating call.
    pub(crate) fn names(&self) -> impl Iterator<Item = String> + '_ {
        let calls = self.stack.calls.iter().rev();
        self.ending()
            .map(String::from)
            .into_iter()
            .chain(calls.map(|call| label(&call.frame).into()))
    }

    /// The physical frames, innermost first: each the calls that were compiled into it, the
    /// innermost first, and last the function itself.
    pub(crate) fn physical(&self) -> impl Iterator<Item = &[Call<'_>]> {
        self.stack.calls.chunk_by(|inner, _| inner.frame.inlined)
    }
}
