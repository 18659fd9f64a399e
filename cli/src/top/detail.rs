//! One call stack, whole: its numbers, how long its blocks lived, its calls.

use heapsight::ledger::Counters;
use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Stylize;
use ratatui::text::{Line, Span};
use ratatui::widgets::Paragraph;

use super::app::App;
use crate::view::metric::absorb;
use crate::view::numbers::{count, duration, error, grouped, printable, share, size};
use crate::view::stacks::{Stack, ending, label, place};

/// Columns of the longest bar.
const BAR: u64 = 40;

/// Draws the stack of a node. The answer is how far it is scrolled: not beyond its end.
pub(crate) fn draw(frame: &mut Frame<'_>, area: Rect, app: &App, node: u32, scroll: u16) -> u16 {
    let lines = lines(app, node);
    let last = u16::try_from(lines.len()).unwrap_or(u16::MAX).saturating_sub(area.height);
    let scroll = scroll.min(last);
    frame.render_widget(Paragraph::new(lines).scroll((scroll, 0)), area);
    scroll
}

fn lines(app: &App, node: u32) -> Vec<Line<'static>> {
    let snapshot = &app.ledger.snapshot;
    let mut counters = Counters::default();
    let sites = snapshot.used_sites().filter(|(_, site)| site.node == node);
    sites.for_each(|(_, site)| absorb(&mut counters, &site.counters));
    let mut lines = numbers(&counters);
    lines.extend(lifetimes(&counters, &snapshot.tracking.lifetime_edges_bytes));
    lines.push(Line::default());
    let stack = Stack::of(snapshot, &app.names, node);
    let program = stack.shown();
    for (number, call) in stack.calls.iter().enumerate() {
        let frame = &call.frame;
        let inlined = if frame.inlined { " (inlined)" } else { "" };
        let name = format!("{number:>3}  {}", printable(&label(frame)));
        let rest = format!("  {}{inlined}", printable(&place(frame)));
        let is_program = program.contains(&number);
        lines.push(match is_program {
            true => Line::from(vec![Span::from(name).bold(), Span::from(rest)]),
            false => Line::from(vec![Span::from(name), Span::from(rest)]).dim(),
        });
    }
    match stack.ending {
        Some(reason) => lines.push(Line::from(format!("     ... {}", ending(reason)))),
        None if stack.calls.is_empty() => lines.push(Line::from("     no call stack was recorded")),
        None => {}
    }
    lines
}

fn numbers(counters: &Counters) -> Vec<Line<'static>> {
    let bytes_error = error(counters.bytes_error, counters.bytes);
    let blocks_error = error(counters.allocations_error, counters.allocations);
    let blocks = |number: u64| count(number, "block");
    let samples = match counters.samples {
        0 => String::new(),
        samples => format!("   from {}", count(samples, "sample")),
    };
    let rows = [
        ("in use", format!("{} in {}", size(counters.live_bytes), blocks(counters.live))),
        (
            "allocated",
            format!(
                "{}{bytes_error} in {}{blocks_error}{samples}",
                size(counters.bytes),
                blocks(counters.allocations)
            ),
        ),
        ("freed", format!("{} in {}", size(counters.freed_bytes), blocks(counters.frees))),
        (
            "peaks",
            format!(
                "{} in {} at the process's; its own: {} at most",
                size(counters.at_peak_bytes),
                blocks(counters.at_peak),
                size(counters.own_peak_bytes)
            ),
        ),
        (
            "temporary",
            format!(
                "{} ({}), resized {}",
                blocks(counters.temporary),
                share(counters.temporary, counters.allocations),
                grouped(counters.reallocations)
            ),
        ),
        ("seen", format!("from {} to {}", duration(counters.first_ns), duration(counters.last_ns))),
    ];
    let line = |(name, text): (&str, String)| {
        Line::from(vec![Span::from(format!("{name:>10}  ")).dim(), Span::from(text)])
    };
    rows.into_iter().map(line).collect()
}

/// A bar for each bucket from the first to the last that is not empty.
fn lifetimes(counters: &Counters, edges: &[u64]) -> Vec<Line<'static>> {
    let is_used = |blocks: &u64| *blocks > 0;
    let Some(first) = counters.lifetimes.iter().position(is_used) else { return Vec::new() };
    let last = counters.lifetimes.iter().rposition(is_used).unwrap_or(first);
    let most = counters.lifetimes.iter().max().copied().unwrap_or(1).max(1);
    let bars = (first..=last).map(|bucket| {
        let blocks = counters.lifetimes[bucket];
        let name = match (edges.get(bucket), edges.last()) {
            (Some(edge), _) => format!("< {}", size(*edge)),
            (None, Some(edge)) => format!("> {}", size(*edge)),
            (None, None) => "?".into(),
        };
        let bar = (u128::from(blocks) * u128::from(BAR)).div_ceil(most.into()) as usize;
        let bar = format!("{} {}", "█".repeat(bar), grouped(blocks));
        Line::from(vec![Span::from(format!("{name:>14}  ")).dim(), Span::from(bar)])
    });
    let title = Line::from("    freed blocks lived, in bytes allocated meanwhile").dim();
    [Line::default(), title].into_iter().chain(bars).collect()
}
