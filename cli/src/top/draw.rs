//! The picture: header, curve, table, help.

use ratatui::Frame;
use ratatui::layout::{Constraint, Flex, Layout, Rect};
use ratatui::style::{Modifier, Style, Stylize};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, Clear, Paragraph, Row as TableRow, Table as Grid};

use super::app::{App, Layer};
use super::detail;
use super::rows::{Cell, View, rate};
use crate::view::numbers::{count, duration, grouped, printable, size};
use crate::view::plot;
use crate::view::stacks::file_name;
use crate::view::verdict::state;

/// Lines above the table.
pub(crate) const HEADER: u16 = 4;
/// The heading of the table and the line below it.
pub(crate) const FRAME: u16 = 2;

const HELP: &[(&str, &str)] = &[
    ("Up Down k j", "move"),
    ("PgUp PgDn Home End", "move further"),
    ("Enter", "open the call stack: lines, numbers, lifetimes"),
    ("Esc", "go back; end the search"),
    ("Tab, 1 2 3", "call stacks, threads, size classes"),
    ("s S", "sort by the next column, by the one before"),
    ("r", "turn the order around"),
    ("/", "search functions, files and modules"),
    ("Space", "pause; go on"),
    ("b", "count growth from now on"),
    ("q Ctrl-C", "end"),
    ("", ""),
    ("change, count/s", "since the last refresh"),
    ("growth", "since the start of this view, or since b"),
    ("temp.", "blocks freed before the next allocation of their thread"),
    ("lived", "half of the freed blocks lived shorter than this"),
];

/// Draws everything.
pub(crate) fn draw(frame: &mut Frame<'_>, app: &mut App) {
    let areas =
        Layout::vertical([Constraint::Length(HEADER), Constraint::Min(1), Constraint::Length(1)]);
    let [header, body, footer] = areas.areas(frame.area());
    frame.render_widget(Paragraph::new(header_lines(app, header.width)), header);
    app.page = body.height.saturating_sub(1).max(1);
    match app.layer {
        Layer::Stack { node, scroll } => {
            let nodes = [node];
            app.names.ask(&app.ledger.snapshot, nodes);
            app.layer = Layer::Stack { node, scroll: detail::draw(frame, body, app, node, scroll) };
        }
        Layer::None | Layer::Help => draw_table(frame, body, app),
    }
    frame.render_widget(Paragraph::new(footer_line(app)), footer);
    if app.layer == Layer::Help {
        draw_help(frame);
    }
}

fn header_lines(app: &App, width: u16) -> Vec<Line<'static>> {
    let snapshot = &app.ledger.snapshot;
    let (process, totals, tracking) = (&snapshot.process, &snapshot.totals, &snapshot.tracking);
    let name = printable(file_name(&process.program));
    let title = format!("{name} (pid {}) {}", process.pid, state(&app.ledger));
    let resident = snapshot.timeline.last().map_or(0, |point| point.resident);
    let estimated = if tracking.is_estimated { "about " } else { "" };
    let marks = [
        (app.is_paused, "PAUSED"),
        (tracking.is_estimated, "estimates by sampling"),
        (tracking.unseen + tracking.refused_stacks > 0, "with gaps: see heapsight report"),
    ];
    let marks: Vec<_> = marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| *mark).collect();
    let first = vec![
        Span::from(title).bold(),
        Span::from(format!("  {}  ", duration(process.elapsed_ns))),
        Span::from(printable(&process.command.join(" "))).dim(),
        Span::from(format!("  {}", marks.join(", "))).bold(),
    ];
    let live = format!(
        "live {} in {}   peak {}   resident {}   {} allocations, {}/s",
        size(totals.current_bytes),
        count(totals.current_allocations, "block"),
        size(totals.peak_bytes),
        size(resident),
        grouped(totals.total_allocations),
        rate(app.rate()),
    );
    let cost = format!("   overhead {}", size(tracking.overhead_bytes + tracking.ledger_bytes));
    let curve = usize::from(width).saturating_sub(6);
    let values = plot::columns(&snapshot.timeline, process.elapsed_ns, curve);
    let tabs = View::ALL.iter().zip(1..).flat_map(|(view, number)| {
        let text = format!(" {number} {} ", view.title());
        let is_shown = *view == app.view;
        [if is_shown { Span::from(text).reversed() } else { Span::from(text) }, Span::from(" ")]
    });
    let rows = app.tables[app.view as usize].rows.len() as u64;
    let found = match app.search.is_empty() {
        true => format!("  {}", grouped(rows)),
        false => format!("  {} with '{}'", grouped(rows), printable(&app.search)),
    };
    vec![
        Line::from(first),
        Line::from(vec![Span::from(estimated), Span::from(live), Span::from(cost).dim()]),
        Line::from(vec![Span::from("live  ").dim(), Span::from(plot::sparkline(&values))]),
        Line::from(tabs.chain([Span::from(found).dim()]).collect::<Vec<_>>()),
    ]
}

fn draw_table(frame: &mut Frame<'_>, area: Rect, app: &mut App) {
    let view = app.view;
    let columns = view.columns();
    let last = columns.len() - 1;
    let table = &app.tables[view as usize];
    // As many rows as can be seen, around the selected one: a table may have very many.
    let height = usize::from(area.height.saturating_sub(1)).max(1);
    let selected = table.state.selected().unwrap_or(0);
    let first = first_row(table.state.offset(), selected, height, table.rows.len());
    let shown = first..(first + height).min(table.rows.len());
    if view == View::Sites {
        let nodes: Vec<_> = table.rows[shown.clone()].iter().map(|row| row.key as u32).collect();
        app.names.ask(&app.ledger.snapshot, nodes);
    }
    let table = &app.tables[view as usize];
    let fitting = view.fitting(area.width, table.column);
    let aligned = |index: usize, text: String| {
        let width = usize::from(columns[index].1);
        if index == last { text } else { format!("{text:>width$}") }
    };
    let head = fitting.iter().map(|index| {
        let arrow = match (*index == table.column, table.is_ascending) {
            (false, _) => "",
            (true, false) => "▼",
            (true, true) => "▲",
        };
        Line::from(aligned(*index, format!("{}{arrow}", columns[*index].0)))
    });
    let rows = table.rows[shown.clone()].iter().map(|row| {
        let cells = fitting.iter().map(|index| {
            let cell = &row.cells[*index];
            let text = match cell {
                Cell::Stack => printable(&app.caption(row.key as u32)),
                other => other.text(),
            };
            let span = Span::from(aligned(*index, text));
            match cell {
                Cell::BytesChange(1..) => span.yellow(),
                Cell::BytesChange(..=-1) => span.green(),
                _ => span,
            }
        });
        TableRow::new(cells.collect::<Vec<_>>())
    });
    let widths = fitting.iter().map(|index| match *index == last {
        true => Constraint::Min(columns[*index].1),
        false => Constraint::Length(columns[*index].1),
    });
    let grid = Grid::new(rows.collect::<Vec<_>>(), widths)
        .header(TableRow::new(head.collect::<Vec<_>>()).style(Style::new().bold()))
        .row_highlight_style(Modifier::REVERSED);
    let mut state = ratatui::widgets::TableState::new();
    state.select((!shown.is_empty()).then(|| selected.saturating_sub(first)));
    frame.render_stateful_widget(grid, area, &mut state);
    *app.table().state.offset_mut() = first;
}

/// The first row to show, so that the selected one is seen and the picture moves no more than it
/// has to.
fn first_row(offset: usize, selected: usize, height: usize, rows: usize) -> usize {
    let lowest = (selected + 1).saturating_sub(height);
    offset.clamp(lowest, selected).min(rows.saturating_sub(1))
}

fn footer_line(app: &App) -> Line<'static> {
    if app.is_typing {
        let text = format!("search: {}█", printable(&app.search));
        return Line::from(vec![Span::from(text), Span::from("  Enter keeps, Esc ends").dim()]);
    }
    if let Some(trouble) = &app.trouble {
        return Line::from(printable(trouble)).red();
    }
    let text = match app.layer {
        Layer::Stack { .. } => "Esc back   Up Down scroll   Space pause   q end",
        _ => "Enter open   Tab views   s sort   / search   Space pause   ? help   q end",
    };
    Line::from(text).dim()
}

fn draw_help(frame: &mut Frame<'_>) {
    let lines: Vec<_> = HELP
        .iter()
        .map(|(keys, what)| {
            Line::from(vec![Span::from(format!(" {keys:<20}")).bold(), Span::from(*what)])
        })
        .collect();
    let vertical = Layout::vertical([Constraint::Length(lines.len() as u16 + 2)]);
    let horizontal = Layout::horizontal([Constraint::Length(80)]);
    let [area] = vertical.flex(Flex::Center).areas(frame.area());
    let [area] = horizontal.flex(Flex::Center).areas(area);
    frame.render_widget(Clear, area);
    let block = Block::bordered().title(" Keys, and what columns mean ");
    frame.render_widget(Paragraph::new(lines).block(block), area);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_selected_row_is_seen_and_the_picture_moves_no_more_than_it_must() {
        assert_eq!(first_row(0, 3, 5, 100), 0);
        assert_eq!(first_row(0, 5, 5, 100), 1);
        assert_eq!(first_row(10, 5, 5, 100), 5);
        assert_eq!(first_row(10, 12, 5, 100), 10);
        assert_eq!(first_row(7, 0, 5, 0), 0);
    }
}
