//! The tables: rows of cells that sort by value and show as text.

use std::collections::HashMap;

use heapsight::ledger::Snapshot;

use crate::view::metric::{Metric, median_lifetime};
use crate::view::numbers::{duration, grouped, share, size, size_change};
use crate::view::sites::ranked;

/// Which table is shown.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum View {
    #[default]
    Sites,
    Threads,
    Classes,
}

/// A value of a table.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Bytes(u64),
    Count(u64),
    BytesChange(i128),
    Rate(f64),
    Share(u64, u64),
    Time(Option<u64>),
    Text(String),
    /// The call stack of the row's node, once its names are there.
    Stack,
}

/// A line of a table, and what it is about: a node, a thread's place, or a block size.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Row {
    pub(crate) key: u64,
    pub(crate) cells: Vec<Cell>,
}

/// A column: its heading and its width; the last takes the rest.
pub(crate) type Column = (&'static str, u16);

/// Columns that go first where there is no room for all.
const EXPENDABLE: &[&str] = &[
    "lived", "temp.", "growth", "freed", "frees", "blocks", "started", "ended", "at peak", "count",
];

const SITES: &[Column] = &[
    ("live", 10),
    ("blocks", 11),
    ("change", 11),
    ("growth", 11),
    ("allocated", 10),
    ("count", 13),
    ("count/s", 11),
    ("at peak", 10),
    ("temp.", 10),
    ("lived", 9),
    ("allocated by", 20),
];

const THREADS: &[Column] = &[
    ("allocated", 10),
    ("count", 13),
    ("count/s", 11),
    ("freed", 10),
    ("frees", 13),
    ("started", 12),
    ("ended", 12),
    ("id", 9),
    ("name", 16),
];

const CLASSES: &[Column] = &[
    ("live", 10),
    ("blocks", 11),
    ("change", 11),
    ("growth", 11),
    ("allocated", 10),
    ("count", 13),
    ("count/s", 11),
    ("up to", 10),
    ("", 1),
];

impl View {
    pub(crate) const ALL: [Self; 3] = [Self::Sites, Self::Threads, Self::Classes];

    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Sites => "Call stacks",
            Self::Threads => "Threads",
            Self::Classes => "Size classes",
        }
    }

    pub(crate) fn columns(self) -> &'static [Column] {
        match self {
            Self::Sites => SITES,
            Self::Threads => THREADS,
            Self::Classes => CLASSES,
        }
    }

    /// The columns that have room in `width`: the one that it is sorted by, and the last, always.
    pub(crate) fn fitting(self, width: u16, sorted_by: usize) -> Vec<usize> {
        let columns = self.columns();
        let mut shown: Vec<_> = (0..columns.len()).collect();
        for expendable in EXPENDABLE {
            let needed: u16 = shown.iter().map(|index| columns[*index].1 + 1).sum();
            if needed <= width.saturating_add(1) {
                break;
            }
            let goes = |index: usize| columns[index].0 == *expendable && index != sorted_by;
            shown.retain(|index| !goes(*index));
        }
        shown
    }

    /// The column of a metric, if it is one of the table's.
    pub(crate) fn column_of(self, metric: Metric) -> usize {
        let heading = match metric {
            Metric::Live | Metric::OwnPeak => "live",
            Metric::Bytes => "allocated",
            Metric::Count => "count",
            Metric::Peak => "at peak",
            Metric::Temporary => "temp.",
            Metric::Lifetime => "lived",
        };
        self.columns().iter().position(|(name, _)| *name == heading).unwrap_or(0)
    }
}

impl Cell {
    /// What it sorts by.
    pub(crate) fn order(&self) -> f64 {
        match self {
            Self::Bytes(value) | Self::Count(value) => *value as f64,
            Self::BytesChange(value) => *value as f64,
            Self::Rate(rate) => *rate,
            Self::Share(part, whole) => *part as f64 / (*whole).max(1) as f64,
            Self::Time(time) => time.map_or(-1.0, |ns| ns as f64),
            Self::Text(_) | Self::Stack => 0.0,
        }
    }

    /// What it shows, but for a call stack.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::Bytes(value) => size(*value),
            Self::Count(value) => grouped(*value),
            Self::BytesChange(value) => size_change(*value),
            Self::Rate(rate) => self::rate(*rate),
            Self::Share(0, _) | Self::Time(None) | Self::Stack => "-".into(),
            Self::Share(part, whole) => share(*part, *whole),
            Self::Time(Some(ns)) => duration(*ns),
            Self::Text(text) => text.clone(),
        }
    }
}

/// A number of times per second.
pub(crate) fn rate(rate: f64) -> String {
    match rate {
        ..0.05 => "-".into(),
        0.05..10.0 => format!("{rate:.1}"),
        _ => grouped(rate as u64),
    }
}

/// An earlier state that changes are told from: bytes in use and blocks allocated, by key.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    values: HashMap<(u8, u64), (u64, u64)>,
    /// Seconds of the clock of the one who reads.
    pub(crate) at: f64,
}

impl Baseline {
    /// Of the snapshot, read at that time.
    pub(crate) fn of(snapshot: &Snapshot, at: f64) -> Self {
        let sites = snapshot.used_sites().map(|(_, site)| {
            (View::Sites, u64::from(site.node), site.counters.live_bytes, site.counters.allocations)
        });
        let threads = snapshot.threads.iter().zip(0..);
        let threads = threads.map(|(thread, key)| (View::Threads, key, 0, thread.allocations));
        let classes = snapshot.classes.iter().map(|class| {
            let live = class.bytes.saturating_sub(class.freed_bytes);
            (View::Classes, class.block_size, live, class.allocations)
        });
        let mut values = HashMap::<_, (u64, u64)>::new();
        for (view, key, live, count) in sites.chain(threads).chain(classes) {
            let sum = values.entry((view as u8, key)).or_default();
            *sum = (sum.0.saturating_add(live), sum.1.saturating_add(count));
        }
        Self { values, at }
    }

    fn live(&self, view: View, key: u64) -> u64 {
        self.values.get(&(view as u8, key)).map_or(0, |(live, _)| *live)
    }

    /// Allocations per second since then.
    fn rate(&self, view: View, key: u64, count: u64, now: f64) -> f64 {
        let before = self.values.get(&(view as u8, key)).map_or(0, |(_, count)| *count);
        per_second(count.saturating_sub(before), now - self.at)
    }
}

/// So many in so much time.
pub(crate) fn per_second(number: u64, seconds: f64) -> f64 {
    if seconds > 0.0 { number as f64 / seconds } else { 0.0 }
}

/// What rows are made of.
pub(crate) struct Moment<'a> {
    pub(crate) snapshot: &'a Snapshot,
    /// The refresh before this one.
    pub(crate) before: &'a Baseline,
    /// When the watching began, or was begun anew.
    pub(crate) baseline: &'a Baseline,
    pub(crate) now: f64,
}

impl Moment<'_> {
    /// The rows of a table, in no order.
    pub(crate) fn rows(&self, view: View) -> Vec<Row> {
        match view {
            View::Sites => self.sites(),
            View::Threads => self.threads(),
            View::Classes => self.classes(),
        }
    }

    fn sites(&self) -> Vec<Row> {
        let edges = &self.snapshot.tracking.lifetime_edges_bytes;
        let rows = ranked(self.snapshot, Metric::Count).into_iter().map(|row| {
            let (key, it) = (u64::from(row.node), &row.counters);
            let mut cells = self.flow(View::Sites, key, it.live_bytes, it.live);
            cells.extend([
                Cell::Bytes(it.bytes),
                Cell::Count(it.allocations),
                self.rate(View::Sites, key, it.allocations),
                Cell::Bytes(it.at_peak_bytes),
                Cell::Share(it.temporary, it.allocations),
                median_lifetime(it, edges).map_or(Cell::Time(None), Cell::Bytes),
                Cell::Stack,
            ]);
            Row { key, cells }
        });
        rows.collect()
    }

    fn threads(&self) -> Vec<Row> {
        let rows = self.snapshot.threads.iter().zip(0..).map(|(thread, key)| {
            let cells = vec![
                Cell::Bytes(thread.bytes),
                Cell::Count(thread.allocations),
                self.rate(View::Threads, key, thread.allocations),
                Cell::Bytes(thread.freed_bytes),
                Cell::Count(thread.frees),
                Cell::Time(Some(thread.started_ns)),
                Cell::Time(thread.ended_ns),
                Cell::Text(thread.id.to_string()),
                Cell::Text(crate::view::numbers::printable(&thread.name)),
            ];
            Row { key, cells }
        });
        rows.collect()
    }

    fn classes(&self) -> Vec<Row> {
        let rows = self.snapshot.classes.iter().map(|class| {
            let key = class.block_size;
            let live = class.bytes.saturating_sub(class.freed_bytes);
            let blocks = class.allocations.saturating_sub(class.frees);
            let mut cells = self.flow(View::Classes, key, live, blocks);
            cells.extend([
                Cell::Bytes(class.bytes),
                Cell::Count(class.allocations),
                self.rate(View::Classes, key, class.allocations),
                Cell::Bytes(class.block_size),
                Cell::Text(String::new()),
            ]);
            Row { key, cells }
        });
        rows.collect()
    }

    /// What lives, and how that changed.
    fn flow(&self, view: View, key: u64, live: u64, blocks: u64) -> Vec<Cell> {
        let since = |baseline: &Baseline| i128::from(live) - i128::from(baseline.live(view, key));
        vec![
            Cell::Bytes(live),
            Cell::Count(blocks),
            Cell::BytesChange(since(self.before)),
            Cell::BytesChange(since(self.baseline)),
        ]
    }

    fn rate(&self, view: View, key: u64, count: u64) -> Cell {
        Cell::Rate(self.before.rate(view, key, count, self.now))
    }
}

/// Sorts by a column; equal rows stay in the order of their keys.
pub(crate) fn sort(rows: &mut [Row], column: usize, is_ascending: bool) {
    rows.sort_by(|a, b| {
        let order = |row: &Row| row.cells.get(column).map_or(0.0, Cell::order);
        let ordering = order(b).total_cmp(&order(a));
        if is_ascending { ordering.reverse() } else { ordering }.then(a.key.cmp(&b.key))
    });
}
