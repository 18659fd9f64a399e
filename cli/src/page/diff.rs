//! What changed between two ledgers, in text and as JSON.

use std::fmt::{self, Write};

use heapsight::ledger::Snapshot;
use serde_json::{Value, json};

use super::{BOLD, DIM, HEAD, LESS, MORE, json as shapes, stack};
use crate::view::diff::{Fate, Pair};
use crate::view::metric::Metric;
use crate::view::names::Names;
use crate::view::numbers::{change, count, grouped, printable, size, size_change};
use crate::view::source::Ledger;
use crate::view::stacks::Stack;

/// Two ledgers and what changed from one to the other.
#[derive(Debug)]
pub(crate) struct Difference<'a> {
    pub(crate) metric: Metric,
    pub(crate) ledgers: [&'a Ledger; 2],
    pub(crate) names: [&'a Names; 2],
    /// The largest change first.
    pub(crate) changed: Vec<Pair>,
    /// The sums over all call stacks, changed or not.
    pub(crate) totals: [u64; 2],
    pub(crate) top: usize,
    /// Deep stacks are shown whole.
    pub(crate) is_whole: bool,
    /// Sentences that qualify the numbers.
    pub(crate) notes: Vec<String>,
}

impl Difference<'_> {
    /// How much more the second has in all.
    pub(crate) fn growth(&self) -> i128 {
        i128::from(self.totals[1]) - i128::from(self.totals[0])
    }

    /// A change, with its unit.
    pub(crate) fn text(&self, amount: i128) -> String {
        if self.metric.is_bytes() { size_change(amount) } else { change(amount) }
    }

    /// The call stacks of a fate, and by how much they changed.
    fn fate(&self, fate: Fate) -> (u64, i128) {
        let of_it = self.changed.iter().filter(|pair| pair.fate(self.metric) == Some(fate));
        of_it.fold((0, 0), |sum, pair| (sum.0 + 1, sum.1 + pair.change(self.metric)))
    }

    /// The difference in one sentence.
    pub(crate) fn verdict(&self) -> String {
        let what = self.metric.phrase();
        let [before, after] = self.totals.map(|total| self.metric.text(total));
        if self.changed.is_empty() {
            return format!("no call stack differs in {what}: {before} in both");
        }
        let stacks = count(self.changed.len() as u64, "call stack");
        let growth = self.text(self.growth());
        format!("{what}: {growth}, from {before} to {after}; {stacks} changed")
    }

    /// The stack of a pair, in the ledger that has it.
    fn stack(&self, pair: &Pair) -> Stack<'_> {
        let side = usize::from(pair.nodes[1].is_some());
        let snapshot: &Snapshot = &self.ledgers[side].snapshot;
        Stack::of(snapshot, self.names[side], pair.nodes[side].unwrap_or(0))
    }

    fn shown(&self) -> &[Pair] {
        let len = if self.top == 0 { self.changed.len() } else { self.top };
        &self.changed[..len.min(self.changed.len())]
    }
}

const FATES: [Fate; 4] = [Fate::New, Fate::Grown, Fate::Shrunk, Fate::Gone];

/// Writes it for people.
pub(crate) fn write(out: &mut String, difference: &Difference<'_>) -> fmt::Result {
    writeln!(out, "{BOLD}heapsight: {}{BOLD:#}\n", difference.verdict())?;
    for (name, ledger) in ["before", "after"].into_iter().zip(difference.ledgers) {
        let process = &ledger.snapshot.process;
        let program = format!("{} (pid {})", process.program, process.pid);
        let path = ledger.path.display();
        writeln!(out, "  {DIM}{name:<8}{DIM:#} {}", printable(&format!("{program}, {path}")))?;
    }
    for fate in FATES {
        let (stacks, amount) = difference.fate(fate);
        if stacks > 0 {
            let (stacks, amount) = (count(stacks, "call stack"), difference.text(amount));
            writeln!(out, "  {DIM}{:<8}{DIM:#} {amount} at {stacks}", fate.word())?;
        }
    }
    for note in &difference.notes {
        writeln!(out, "  {DIM}note{DIM:#}     {}", printable(note))?;
    }
    let shown = difference.shown();
    if !shown.is_empty() {
        let (len, all) = (grouped(shown.len() as u64), grouped(difference.changed.len() as u64));
        let title = format!("Call stacks that changed in {}", difference.metric.phrase());
        writeln!(out, "\n{HEAD}{title} ({len} of {all}){HEAD:#}")?;
    }
    for (rank, pair) in (1..).zip(shown) {
        write_pair(out, difference, rank, pair)?;
    }
    if shown.len() < difference.changed.len() {
        let rest = difference.changed.len() - shown.len();
        let rest = count(rest as u64, "smaller change");
        writeln!(out, "\n  ... and {rest}: --top 0 shows all")?;
    }
    Ok(())
}

fn write_pair(
    out: &mut String,
    difference: &Difference<'_>,
    rank: usize,
    pair: &Pair,
) -> fmt::Result {
    let metric = difference.metric;
    let amount = pair.change(metric);
    let colour = if amount > 0 { MORE } else { LESS };
    let text = difference.text(amount);
    let fate = pair.fate(metric).map_or("", Fate::word);
    let [before, after] = pair.values(metric).map(|value| metric.text(value));
    let [was, is] = &pair.counters;
    let blocks = match (metric.blocks(was), metric.blocks(is)) {
        (Some(was), Some(is)) => {
            let amount = change(i128::from(is) - i128::from(was));
            format!("; blocks: {amount}, from {} to {}", grouped(was), grouped(is))
        }
        _ => format!("; bytes allocated: from {} to {}", size(was.bytes), size(is.bytes)),
    };
    writeln!(out, "\n  {rank}. {colour}{text}{colour:#} {BOLD}{fate}{BOLD:#}")?;
    writeln!(out, "     {DIM}from {before} to {after}{blocks}{DIM:#}")?;
    stack::write(out, &difference.stack(pair), 6, difference.is_whole)
}

/// The same for programs.
pub(crate) fn json(difference: &Difference<'_>) -> Value {
    let metric = difference.metric;
    let amount = |amount: i128| i64::try_from(amount).map_or(Value::Null, Value::from);
    let changes = difference.shown().iter().map(|pair| {
        let stack = difference.stack(pair);
        json!({
            "fate": pair.fate(metric).map(Fate::word),
            "change": amount(pair.change(metric)),
            "before": shapes::counters(&pair.counters[0]),
            "after": shapes::counters(&pair.counters[1]),
            "stack": shapes::stack(&stack),
            "ending": stack.ending.map(crate::view::stacks::ending_label),
        })
    });
    let fates = FATES.map(|fate| {
        let (stacks, change) = difference.fate(fate);
        (fate.word().to_owned(), json!({ "call_stacks": stacks, "change": amount(change) }))
    });
    json!({
        "version": shapes::VERSION,
        "verdict": difference.verdict(),
        "metric": metric.word(),
        "before": shapes::head(difference.ledgers[0], ""),
        "after": shapes::head(difference.ledgers[1], ""),
        "totals": difference.totals,
        "growth": amount(difference.growth()),
        "fates": serde_json::Map::from_iter(fates),
        "changed": difference.changed.len(),
        "changes": changes.collect::<Vec<_>>(),
        "notes": difference.notes,
    })
}
