//! Which call stacks matter: ranked by a metric, those of equal source lines made one.

use std::collections::{BTreeMap, HashMap};

use heapsight::Frame;
use heapsight::ledger::{Counters, Site, Snapshot};

use super::metric::{Metric, absorb};
use super::names::Names;
use super::stacks::Stack;

/// A call stack and its sums.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    /// The ledger's number of the (largest) site.
    pub(crate) site: usize,
    pub(crate) node: u32,
    pub(crate) counters: Counters,
    /// How many call stacks of the ledger are one to the reader.
    pub(crate) variants: usize,
}

/// All call stacks with a value, the largest first.
pub(crate) fn ranked(snapshot: &Snapshot, metric: Metric) -> Vec<Row> {
    let mut places = HashMap::<u32, usize>::new();
    let mut rows = Vec::<Row>::new();
    for (site, Site { node, counters }) in snapshot.used_sites() {
        // Sites of one stack differ in what was called: `malloc` or `operator new`.
        if let Some(place) = places.get(node) {
            absorb(&mut rows[*place].counters, counters);
            continue;
        }
        places.insert(*node, rows.len());
        rows.push(Row { site, node: *node, counters: counters.clone(), variants: 1 });
    }
    rows.retain(|row| value(snapshot, metric, &row.counters) > 0);
    sort(snapshot, metric, &mut rows);
    rows
}

/// The value of a metric in this ledger.
pub(crate) fn value(snapshot: &Snapshot, metric: Metric, counters: &Counters) -> u64 {
    metric.of(counters, &snapshot.tracking.lifetime_edges_bytes)
}

/// The largest first; of equals the one that was first seen.
fn sort(snapshot: &Snapshot, metric: Metric, rows: &mut [Row]) {
    rows.sort_by_cached_key(|row| {
        (std::cmp::Reverse(value(snapshot, metric, &row.counters)), row.site)
    });
}

/// Makes one row of those whose calls are at the same lines, whatever the compiler made of them.
pub(crate) fn merged(
    snapshot: &Snapshot,
    names: &Names,
    metric: Metric,
    rows: Vec<Row>,
) -> Vec<Row> {
    let mut places = BTreeMap::<Vec<Frame>, usize>::new();
    let mut merged = Vec::<Row>::new();
    for row in rows {
        let stack = Stack::of(snapshot, names, row.node);
        let mut key: Vec<_> = stack.calls.iter().map(|call| without_address(&call.frame)).collect();
        // A stack that ends early is not that which does not.
        key.extend(stack.ending.map(|_| Frame::default()));
        match places.get(&key) {
            Some(place) => {
                absorb(&mut merged[*place].counters, &row.counters);
                merged[*place].variants += row.variants;
            }
            None => {
                places.insert(key, merged.len());
                merged.push(row);
            }
        }
    }
    sort(snapshot, metric, &mut merged);
    merged
}

/// The call as its source line tells it; without a line, the address still does.
fn without_address(frame: &Frame) -> Frame {
    let address = if frame.line.is_some() { 0 } else { frame.address };
    Frame { address, ..frame.clone() }
}

/// The fewest of ranked rows that have `percent` of the whole between them, and the others' number
/// and sum.
pub(crate) fn weighty(
    snapshot: &Snapshot,
    metric: Metric,
    mut rows: Vec<Row>,
    percent: u64,
    most: usize,
) -> (Vec<Row>, usize, u64) {
    let of = |row: &Row| u128::from(value(snapshot, metric, &row.counters));
    let whole: u128 = rows.iter().map(of).sum();
    let mut sum = 0;
    let enough = |row: &Row| {
        sum += of(row);
        sum * 100 >= whole * u128::from(percent)
    };
    let len = rows.iter().position(enough).map_or(rows.len(), |last| last + 1).min(most);
    let rest: u128 = rows[len..].iter().map(of).sum();
    let others = rows.len() - len;
    rows.truncate(len);
    (rows, others, u64::try_from(rest).unwrap_or(u64::MAX))
}
