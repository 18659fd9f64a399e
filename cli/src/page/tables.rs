//! Threads, size classes, the timeline and events, in columns.

use std::fmt::{self, Write};

use heapsight::ledger::{Event, EventKind, Mode, Snapshot};

use super::{DIM, HEAD};
use crate::view::flat::Entry;
use crate::view::metric::Metric;
use crate::view::numbers::{duration, grouped, printable, share, size};
use crate::view::plot;
use crate::view::tree::Labels;

/// Width and height of the curve.
const CHART: (usize, usize) = (72, 8);

/// Writes rows under a heading, numbers to the right, the last column to the left.
pub(crate) fn write_table<const N: usize>(
    out: &mut String,
    title: &str,
    heads: [&str; N],
    rows: &[[String; N]],
) -> fmt::Result {
    writeln!(out, "\n{HEAD}{title}{HEAD:#}")?;
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([heads[column].chars().count()]).max().unwrap_or(0)
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let line = |cells: [&str; N]| {
        let mut line = String::new();
        for (column, cell) in cells.into_iter().enumerate() {
            let gap = widths[column];
            line += &match column + 1 == N {
                true => format!("  {cell}"),
                false => format!("  {cell:>gap$}"),
            };
        }
        line
    };
    writeln!(out, "{DIM}{}{DIM:#}", line(heads))?;
    for row in rows {
        writeln!(out, "{}", line(std::array::from_fn(|column| row[column].as_str())))?;
    }
    Ok(())
}

/// Threads, those that allocated most first.
pub(crate) fn write_threads(out: &mut String, snapshot: &Snapshot, top: usize) -> fmt::Result {
    let mut threads: Vec<_> = snapshot.threads.iter().collect();
    threads.sort_by_key(|thread| std::cmp::Reverse(thread.bytes));
    let end = snapshot.process.elapsed_ns;
    let rows = threads.iter().take(top).map(|thread| {
        [
            thread.id.to_string(),
            size(thread.bytes),
            grouped(thread.allocations),
            size(thread.freed_bytes),
            grouped(thread.frees),
            duration(thread.started_ns),
            thread.ended_ns.map_or_else(|| "-".into(), duration),
            share(thread.ended_ns.unwrap_or(end).saturating_sub(thread.started_ns), end),
            printable(&thread.name),
        ]
    });
    let title = format!("Threads ({} of {})", threads.len().min(top), threads.len());
    let heads =
        ["id", "allocated", "blocks", "freed", "blocks", "started", "ended", "of the time", "name"];
    write_table(out, &title, heads, &rows.collect::<Vec<_>>())
}

/// Size classes, smallest first.
pub(crate) fn write_classes(out: &mut String, snapshot: &Snapshot) -> fmt::Result {
    let total: u64 = snapshot.classes.iter().map(|class| class.bytes).sum();
    let most = snapshot.classes.iter().map(|class| class.bytes).max().unwrap_or(0).max(1);
    let rows = snapshot.classes.iter().map(|class| {
        let bar = (u128::from(class.bytes) * 30).div_ceil(most.into()) as usize;
        // What is lost by rounding sizes up to that of the class.
        let slack =
            (class.allocations.saturating_mul(class.block_size)).saturating_sub(class.bytes);
        [
            size(class.block_size),
            grouped(class.allocations),
            size(class.bytes),
            share(class.bytes, total),
            share(slack, class.bytes.saturating_add(slack)),
            grouped(class.allocations.saturating_sub(class.frees)),
            size(class.bytes.saturating_sub(class.freed_bytes)),
            "█".repeat(bar),
        ]
    });
    let heads =
        ["up to", "blocks", "allocated", "share", "rounding", "in use", "bytes", "allocated"];
    write_table(out, "Size classes", heads, &rows.collect::<Vec<_>>())
}

/// Bytes in use over time.
pub(crate) fn write_timeline(out: &mut String, snapshot: &Snapshot) -> fmt::Result {
    writeln!(out, "\n{HEAD}Bytes in use over time{HEAD:#}")?;
    let (width, height) = CHART;
    for line in plot::chart(&snapshot.timeline, snapshot.process.elapsed_ns, width, height) {
        writeln!(out, "  {line}")?;
    }
    let resident = snapshot.timeline.iter().map(|point| point.resident).max().unwrap_or(0);
    if resident > 0 {
        writeln!(
            out,
            "  {DIM}resident in memory, all of the process: {} at most{DIM:#}",
            size(resident)
        )?;
    }
    Ok(())
}

/// What happened, and when.
pub(crate) fn write_events(out: &mut String, events: &[Event]) -> fmt::Result {
    let rows: Vec<_> = events
        .iter()
        .map(|event| [duration(event.ns), event.thread.to_string(), printable(&happening(event))])
        .collect();
    write_table(out, "Events", ["after", "thread", "what"], &rows)
}

/// An event in words.
pub(crate) fn happening(event: &Event) -> String {
    match &event.kind {
        EventKind::Mode(mode) => format!("tracking: {}", mode_word(*mode)),
        EventKind::Mark(name) => format!("mark: {name}"),
        EventKind::Misuse(what) => format!("misuse: {what}"),
    }
}

/// A mode as it is typed.
pub(crate) fn mode_word(mode: Mode) -> String {
    match mode {
        Mode::Off => "off".into(),
        Mode::Stats => "stats".into(),
        Mode::Sample { bytes } => format!("sample:{bytes}"),
        Mode::Full => "full".into(),
    }
}

/// Functions or modules with their shares.
pub(crate) fn write_flat(
    out: &mut String,
    metric: Metric,
    what: &str,
    labels: &Labels,
    entries: &[Entry],
    (top, total): (usize, u64),
) -> fmt::Result {
    let rows = entries.iter().take(top).map(|entry| {
        [
            metric.text(entry.inclusive.value),
            share(entry.inclusive.value, total),
            metric.text(entry.own.value),
            share(entry.own.value, total),
            printable(labels.name(entry.label)),
        ]
    });
    let number = format!("{} of {}", entries.len().min(top), entries.len());
    let title = format!("{what}s by {} ({number})", metric.phrase());
    let heads = ["with callees", "", "itself", "", &what.to_lowercase()];
    write_table(out, &title, heads, &rows.collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;

    #[test]
    fn tables_line_up() {
        let snapshot = sample::snapshot();
        let mut page = String::new();
        write_threads(&mut page, &snapshot, 10).expect("written");
        write_classes(&mut page, &snapshot).expect("written");
        write_events(&mut page, &snapshot.events).expect("written");
        write_timeline(&mut page, &snapshot).expect("written");
        let page = anstream::adapter::strip_str(&page).to_string();
        for expected in [
            "Threads (1 of 1)",
            "  12.0 KiB     110    1.0 MiB   94 %",
            "  900 ms   31137  mark: open",
            "resident in memory, all of the process: 3.0 MiB at most",
        ] {
            assert!(page.contains(expected), "{expected} is missing from:\n{page}");
        }
    }
}
