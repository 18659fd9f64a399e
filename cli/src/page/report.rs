//! The report for people: the verdict, the numbers, the call stacks.

use std::fmt::{self, Write};

use heapsight::ledger::Snapshot;

use super::{BOLD, DIM, HEAD, stack};
use crate::view::metric::{Metric, median_lifetime};
use crate::view::names::Names;
use crate::view::numbers::{self, count, duration, error, grouped, share, size};
use crate::view::plot;
use crate::view::sites::{Row, value};
use crate::view::source::Ledger;
use crate::view::stacks::{NO_STACK, Stack, label};
use crate::view::verdict::{Culprit, notes, overhead, precision, unreadable, verdict};

/// Columns of the curve under the numbers.
const CURVE: usize = 60;

/// The call stacks that are shown, and what they are part of.
#[derive(Debug)]
pub(crate) struct Hot {
    pub(crate) metric: Metric,
    pub(crate) rows: Vec<Row>,
    /// All call stacks with a value, as the reader counts them.
    pub(crate) number: usize,
    /// The sum of their values; nothing for a metric without sums.
    pub(crate) total: u64,
    /// Deep stacks are shown whole.
    pub(crate) is_whole: bool,
}

/// The verdict and the numbers.
pub(crate) fn write_head(
    out: &mut String,
    ledger: &Ledger,
    names: &Names,
    culprit: Option<&Culprit>,
) -> fmt::Result {
    let Snapshot { totals, timeline, process, .. } = &ledger.snapshot;
    let verdict = numbers::printable(&verdict(ledger, culprit));
    writeln!(out, "{BOLD}heapsight: {verdict}{BOLD:#}\n")?;
    let command: Vec<_> = process.command.iter().map(|word| quoted(word)).collect();
    if !command.is_empty() {
        line(out, "command", &numbers::printable(&command.join(" ")))?;
    }
    line(
        out,
        "allocated",
        &format!(
            "{} in {}; {} of them temporary, {} resized",
            size(totals.bytes_allocated),
            count(totals.total_allocations, "block"),
            share(totals.temporary, totals.total_allocations),
            grouped(totals.reallocations)
        ),
    )?;
    line(
        out,
        "at the peak",
        &format!(
            "{}, {} after the start; most blocks at one moment: {}",
            size(totals.peak_bytes),
            duration(totals.peak_ns),
            grouped(totals.peak_allocations)
        ),
    )?;
    let live = count(totals.current_allocations, "block");
    line(out, "in use", &format!("{} in {live}", size(totals.current_bytes)))?;
    if timeline.len() > 1 {
        let values = plot::columns(timeline, process.elapsed_ns, CURVE);
        line(out, "over time", &plot::sparkline(&values))?;
    }
    line(out, "recorded", &precision(&ledger.snapshot))?;
    line(out, "overhead", &overhead(&ledger.snapshot))?;
    for note in notes(ledger).iter().chain(&unreadable(&ledger.snapshot, names)) {
        line(out, "note", &numbers::printable(note))?;
    }
    Ok(())
}

fn line(out: &mut String, name: &str, text: &str) -> fmt::Result {
    writeln!(out, "  {DIM}{name:<12}{DIM:#} {text}")
}

/// A word as the shell would have to be given it.
fn quoted(word: &str) -> String {
    let is_plain = |symbol: char| symbol.is_alphanumeric() || "-_./=:,+@%".contains(symbol);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.into()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// The call stacks, largest first.
pub(crate) fn write_hot(
    out: &mut String,
    snapshot: &Snapshot,
    names: &Names,
    hot: &Hot,
) -> fmt::Result {
    if hot.rows.is_empty() {
        return writeln!(out, "\n{HEAD}No call stack has {}{HEAD:#}", hot.metric.phrase());
    }
    let (shown, all) = (grouped(hot.rows.len() as u64), grouped(hot.number as u64));
    let title = format!("Call stacks by {} ({shown} of {all})", hot.metric.phrase());
    writeln!(out, "\n{HEAD}{title}{HEAD:#}")?;
    for (rank, row) in (1..).zip(&hot.rows) {
        write_row(out, snapshot, names, hot, rank, row)?;
    }
    let rest = hot.number.saturating_sub(hot.rows.len());
    if rest > 0 {
        let shown = hot.rows.iter().map(|row| value(snapshot, hot.metric, &row.counters)).sum();
        let rest_value = hot.total.saturating_sub(shown);
        let of_them = match hot.metric.is_additive() {
            true => format!(" with {}", hot.metric.text(rest_value)),
            false => String::new(),
        };
        let rest = count(rest as u64, "smaller call stack");
        writeln!(out, "\n  ... and {rest}{of_them}: --top 0 shows all")?;
    }
    Ok(())
}

fn write_row(
    out: &mut String,
    snapshot: &Snapshot,
    names: &Names,
    hot: &Hot,
    rank: usize,
    row: &Row,
) -> fmt::Result {
    let Hot { metric, total, .. } = *hot;
    let counters = &row.counters;
    let number = value(snapshot, metric, counters);
    let mut head = format!("{rank}. {}", metric.text(number));
    head.push_str(&error(metric.deviation(counters), number));
    if let Some(blocks) = metric.blocks(counters) {
        write!(head, " in {}", count(blocks, "block"))?;
    }
    if metric.is_additive() {
        write!(head, " ({})", share(number, total))?;
    }
    writeln!(out, "\n  {BOLD}{head}{BOLD:#}")?;
    writeln!(out, "     {DIM}{}{DIM:#}", particulars(snapshot, metric, row))?;
    if row.variants > 1 {
        writeln!(out, "     {DIM}{} call stacks of the same lines{DIM:#}", row.variants)?;
    }
    stack::write(out, &Stack::of(snapshot, names, row.node), 6, hot.is_whole)
}

/// The other numbers of a call stack, in a line.
pub(crate) fn particulars(snapshot: &Snapshot, metric: Metric, row: &Row) -> String {
    let counters = &row.counters;
    let mut parts = Vec::new();
    let blocks_error = error(counters.allocations_error, counters.allocations);
    let bytes_error = error(counters.bytes_error, counters.bytes);
    if !matches!(metric, Metric::Bytes | Metric::Count) {
        let (bytes, blocks) = (size(counters.bytes), count(counters.allocations, "block"));
        parts.push(format!("allocated {bytes}{bytes_error} in {blocks}{blocks_error}"));
    } else if metric == Metric::Count {
        parts.push(format!("{}{bytes_error}", size(counters.bytes)));
    }
    if metric != Metric::Peak {
        parts.push(format!("at the peak {}", size(counters.at_peak_bytes)));
    }
    if metric != Metric::Live {
        parts.push(format!("in use {}", size(counters.live_bytes)));
    }
    if counters.temporary > 0 && metric != Metric::Temporary {
        parts.push(format!("temporary {}", share(counters.temporary, counters.allocations)));
    }
    let edges = &snapshot.tracking.lifetime_edges_bytes;
    if let Some(lifetime) = median_lifetime(counters, edges).filter(|_| metric != Metric::Lifetime)
    {
        parts.push(format!("half of them lived for less than {} of allocations", size(lifetime)));
    }
    let (first, last) = (duration(counters.first_ns), duration(counters.last_ns));
    parts.push(format!("from {first} to {last}"));
    parts.join("; ")
}

/// Who is to be named for a call stack: the innermost function of the program.
pub(crate) fn culprit(stack: &Stack<'_>) -> String {
    stack.program().first().map_or_else(|| NO_STACK.into(), |call| label(&call.frame).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;
    use crate::view::sites::ranked;

    #[test]
    fn words_are_quoted_where_the_shell_would_split_them() {
        assert_eq!(
            ["a-b/c.d", "a b", "", "it's"].map(quoted),
            ["a-b/c.d", "'a b'", "''", r"'it'\''s'"]
        );
    }

    #[test]
    fn a_report_shows_folded_stacks_with_their_numbers() {
        let (snapshot, names) = (sample::snapshot(), sample::names());
        let rows = ranked(&snapshot, Metric::Bytes);
        let (number, total) = (rows.len(), snapshot.totals.bytes_allocated);
        let hot = Hot { metric: Metric::Bytes, rows, number, total, is_whole: false };
        let mut page = String::new();
        write_hot(&mut page, &snapshot, &names, &hot).expect("written");
        let page = anstream::adapter::strip_str(&page).to_string();
        for expected in [
            "Call stacks by bytes allocated (4 of 4)",
            "  1. 1.0 MiB in 100 blocks (93 %)",
            "      #0  add_item  src/shop.c:14 (inlined)\n      #1  fill_cart  src/shop.c:31\n",
            "... the stack is deeper than what is recorded",
            "(no call stack was recorded)",
        ] {
            assert!(page.contains(expected), "{expected} is missing from:\n{page}");
        }
        assert!(!page.contains("libheapsight") && !page.contains("__libc_start"), "{page}");
    }

    #[test]
    fn estimates_have_their_errors_beside_them() {
        let (mut snapshot, names) = (sample::snapshot(), sample::names());
        let counters = &mut snapshot.sites[2].counters;
        (counters.bytes_error, counters.allocations_error) = (104_857.0, 5.0);
        let rows = ranked(&snapshot, Metric::Bytes)[..1].to_vec();
        let total = snapshot.totals.bytes_allocated;
        let hot = Hot { metric: Metric::Bytes, rows, number: 4, total, is_whole: false };
        let mut page = String::new();
        write_hot(&mut page, &snapshot, &names, &hot).expect("written");
        assert!(page.contains("1. 1.0 MiB ± 10 % in 100 blocks"), "{page}");
        let hot = Hot { metric: Metric::Peak, ..hot };
        write_hot(&mut page, &snapshot, &names, &hot).expect("written");
        assert!(page.contains("allocated 1.0 MiB ± 10 % in 100 blocks ± 5 %"), "{page}");
    }
}
