//! The state of the live view. Keys and fresh snapshots change it; nothing here draws or waits.

use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::widgets::TableState;

use super::rows::{Baseline, Cell, Moment, Row, View, per_second, sort};
use crate::page::report::culprit;
use crate::view::metric::Metric;
use crate::view::names::Names;
use crate::view::source::Ledger;
use crate::view::stacks::Stack;

/// What the one who runs the view is to do after a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    Go,
    Quit,
}

/// What lies over the tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layer {
    None,
    Help,
    /// The call stack of this node, scrolled by so many lines.
    Stack {
        node: u32,
        scroll: u16,
    },
}

/// How a table is sorted and what is selected in it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    pub(crate) column: usize,
    pub(crate) is_ascending: bool,
    pub(crate) rows: Vec<Row>,
    pub(crate) state: TableState,
    /// The row that was moved to; nothing while the top of the table is watched.
    followed: Option<u64>,
}

#[derive(Debug)]
pub(crate) struct App {
    pub(crate) ledger: Ledger,
    pub(crate) names: Names,
    pub(crate) view: View,
    pub(crate) tables: [Table; 3],
    pub(crate) layer: Layer,
    pub(crate) is_paused: bool,
    /// What is searched for; empty: nothing.
    pub(crate) search: String,
    /// Keys go into the search.
    pub(crate) is_typing: bool,
    /// Why the ledger could not be read of late.
    pub(crate) trouble: Option<String>,
    /// Rows on a page: what was drawn last.
    pub(crate) page: u16,
    before: Baseline,
    baseline: Baseline,
    now: f64,
    rate: f64,
}

impl App {
    /// A view of a ledger that was read at the time `now`, in seconds of any clock.
    pub(crate) fn new(ledger: Ledger, names: Names, by: Metric, now: f64) -> Self {
        let table = |view: View| Table { column: view.column_of(by), ..Table::default() };
        let baseline = Baseline::of(&ledger.snapshot, now);
        let mut app = Self {
            ledger,
            names,
            view: View::default(),
            tables: View::ALL.map(table),
            layer: Layer::None,
            is_paused: false,
            search: String::new(),
            is_typing: false,
            trouble: None,
            page: 10,
            before: baseline.clone(),
            baseline,
            now,
            rate: 0.0,
        };
        app.arrange();
        app
    }

    /// The table that is shown.
    pub(crate) fn table(&mut self) -> &mut Table {
        &mut self.tables[self.view as usize]
    }

    /// Allocations per second, of the whole process.
    pub(crate) fn rate(&self) -> f64 {
        self.rate
    }

    /// Takes a fresh snapshot.
    pub(crate) fn feed(&mut self, ledger: Ledger, now: f64) {
        let count = |ledger: &Ledger| ledger.snapshot.totals.total_allocations;
        let new = count(&ledger).saturating_sub(count(&self.ledger));
        self.rate = per_second(new, now - self.now);
        self.before = Baseline::of(&self.ledger.snapshot, self.now);
        (self.ledger, self.now, self.trouble) = (ledger, now, None);
        self.arrange();
    }

    /// Takes the names that have arrived; a search may find more by them.
    pub(crate) fn poll(&mut self) {
        if self.names.poll() && !self.search.is_empty() {
            self.arrange();
        }
    }

    /// The innermost function of the program, as far as it is known.
    pub(crate) fn caption(&self, node: u32) -> String {
        culprit(&Stack::of(&self.ledger.snapshot, &self.names, node))
    }

    /// Makes the rows anew; the selected one stays selected wherever it goes.
    fn arrange(&mut self) {
        let is_search = !self.search.is_empty();
        if is_search && self.view == View::Sites {
            let nodes: Vec<_> =
                self.ledger.snapshot.used_sites().map(|(_, site)| site.node).collect();
            self.names.ask(&self.ledger.snapshot, nodes);
        }
        let (before, baseline) = (&self.before, &self.baseline);
        let moment = Moment { snapshot: &self.ledger.snapshot, before, baseline, now: self.now };
        let mut rows = moment.rows(self.view);
        if is_search {
            rows.retain(|row| self.is_found(row));
        }
        let table = self.table();
        sort(&mut rows, table.column, table.is_ascending);
        let place = table.followed.and_then(|key| rows.iter().position(|row| row.key == key));
        table.rows = rows;
        table.state.select(Some(place.unwrap_or(0)));
    }

    /// Whether a function or file of the row's stack, or the text of its cells, has what is
    /// searched for.
    fn is_found(&self, row: &Row) -> bool {
        let wanted = self.search.to_lowercase();
        let has = |text: &str| text.to_lowercase().contains(&wanted);
        if self.view != View::Sites {
            return row.cells.iter().any(|cell| has(&cell.text()));
        }
        let stack = Stack::of(&self.ledger.snapshot, &self.names, row.key as u32);
        stack.calls.iter().any(|call| {
            let frame = &call.frame;
            [&frame.function, &frame.file, &frame.module].into_iter().flatten().any(|it| has(it))
        })
    }

    fn selected(&self) -> Option<&Row> {
        let table = &self.tables[self.view as usize];
        table.rows.get(table.state.selected()?)
    }

    /// Does what a key says.
    pub(crate) fn key(&mut self, key: KeyEvent) -> Next {
        let is_interrupt =
            key.modifiers.contains(KeyModifiers::CONTROL) && key.code == KeyCode::Char('c');
        if is_interrupt {
            return Next::Quit;
        }
        if self.is_typing {
            self.type_search(key.code);
            return Next::Go;
        }
        match self.layer {
            Layer::None => self.table_key(key.code),
            Layer::Help => self.help_key(key.code),
            Layer::Stack { node, scroll } => self.stack_key(key.code, node, scroll),
        }
    }

    fn type_search(&mut self, key: KeyCode) {
        match key {
            KeyCode::Char(symbol) => self.search.push(symbol),
            KeyCode::Backspace => {
                self.search.pop();
            }
            KeyCode::Enter => self.is_typing = false,
            KeyCode::Esc => {
                self.is_typing = false;
                self.search.clear();
            }
            _ => return,
        }
        self.arrange();
    }

    fn help_key(&mut self, key: KeyCode) -> Next {
        self.layer = Layer::None;
        if key == KeyCode::Char('q') { Next::Quit } else { Next::Go }
    }

    fn stack_key(&mut self, key: KeyCode, node: u32, scroll: u16) -> Next {
        let page = self.page.max(2) - 1;
        let scroll = match key {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Esc | KeyCode::Enter | KeyCode::Backspace | KeyCode::Left => {
                self.layer = Layer::None;
                return Next::Go;
            }
            KeyCode::Down | KeyCode::Char('j') => scroll.saturating_add(1),
            KeyCode::Up | KeyCode::Char('k') => scroll.saturating_sub(1),
            KeyCode::PageDown => scroll.saturating_add(page),
            KeyCode::PageUp => scroll.saturating_sub(page),
            KeyCode::Home => 0,
            KeyCode::Char(' ') => {
                self.is_paused = !self.is_paused;
                scroll
            }
            _ => scroll,
        };
        self.layer = Layer::Stack { node, scroll };
        Next::Go
    }

    fn table_key(&mut self, key: KeyCode) -> Next {
        let page = isize::from(i16::try_from(self.page).unwrap_or(i16::MAX));
        match key {
            KeyCode::Char('q') => return Next::Quit,
            KeyCode::Esc if self.search.is_empty() => {}
            KeyCode::Esc => {
                self.search.clear();
                self.arrange();
            }
            KeyCode::Char('?' | 'h') | KeyCode::F(1) => self.layer = Layer::Help,
            KeyCode::Char(' ') => self.is_paused = !self.is_paused,
            KeyCode::Char('/') => self.is_typing = true,
            KeyCode::Char('s') => self.sort_by(1),
            KeyCode::Char('S') => self.sort_by(-1),
            KeyCode::Char('r') => {
                let table = self.table();
                table.is_ascending = !table.is_ascending;
                self.arrange();
            }
            KeyCode::Char('b') => {
                self.baseline = Baseline::of(&self.ledger.snapshot, self.now);
                self.arrange();
            }
            KeyCode::Tab => self.show((self.view as usize + 1) % View::ALL.len()),
            KeyCode::BackTab => self.show((self.view as usize + 2) % View::ALL.len()),
            KeyCode::Char(digit @ '1'..='3') => self.show(digit as usize - '1' as usize),
            KeyCode::Down | KeyCode::Char('j') => self.move_by(1),
            KeyCode::Up | KeyCode::Char('k') => self.move_by(-1),
            KeyCode::PageDown => self.move_by(page),
            KeyCode::PageUp => self.move_by(-page),
            KeyCode::Home => self.move_by(isize::MIN),
            KeyCode::End => self.move_by(isize::MAX),
            KeyCode::Enter | KeyCode::Right => self.open(),
            _ => {}
        }
        Next::Go
    }

    fn show(&mut self, view: usize) {
        self.view = View::ALL[view];
        self.arrange();
    }

    fn move_by(&mut self, rows: isize) {
        let table = self.table();
        let last = table.rows.len().saturating_sub(1);
        let place = table.state.selected().unwrap_or(0).saturating_add_signed(rows).min(last);
        table.state.select(Some(place));
        table.followed = table.rows.get(place).filter(|_| place > 0).map(|row| row.key);
    }

    /// Sorts by the next column to the right or left that has an order.
    fn sort_by(&mut self, step: isize) {
        let columns = self.view.columns().len();
        let is_ordered = |table: &Table| {
            let cells = table.rows.first().map(|row| &row.cells[table.column]);
            cells.is_none_or(|cell| !matches!(cell, Cell::Text(_) | Cell::Stack))
        };
        let table = self.table();
        for _ in 0..columns {
            table.column = (table.column + columns).saturating_add_signed(step) % columns;
            if is_ordered(table) {
                break;
            }
        }
        table.is_ascending = false;
        self.arrange();
    }

    fn open(&mut self) {
        if self.view != View::Sites {
            return;
        }
        if let Some(node) = self.selected().and_then(|row| u32::try_from(row.key).ok()) {
            self.layer = Layer::Stack { node, scroll: 0 };
        }
    }
}
