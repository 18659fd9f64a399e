//! What the viewing commands print: text for people, JSON for programs.
//!
//! Text is written with colour; `anstream` takes it out where no terminal shows it.

pub(crate) mod diff;
pub(crate) mod growth;
pub(crate) mod json;
pub(crate) mod report;
pub(crate) mod stack;
pub(crate) mod tables;
pub(crate) mod tree;

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use clap::builder::styling::{AnsiColor, Style};
use heapsight::ledger::Snapshot;
use indicatif::{ProgressBar, ProgressStyle};

use crate::view::names::Names;

pub(crate) const BOLD: Style = Style::new().bold();
pub(crate) const DIM: Style = Style::new().dimmed();
pub(crate) const HEAD: Style = AnsiColor::Green.on_default().bold();
pub(crate) const MORE: Style = AnsiColor::Red.on_default();
pub(crate) const LESS: Style = AnsiColor::Green.on_default();

/// Prints a page. Whoever closed the pipe has read enough.
pub(crate) fn print(page: &str) -> io::Result<()> {
    let mut stdout = anstream::stdout().lock();
    match stdout.write_all(page.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Finds the names of call stacks. Who has to wait sees how long.
pub(crate) fn resolve(names: &mut Names, snapshot: &Snapshot, nodes: &[u32]) {
    const PATIENCE: Duration = Duration::from_millis(500);
    let started = Instant::now();
    let mut bar = None;
    names.resolve(snapshot, nodes, |done, total| {
        if started.elapsed() < PATIENCE || !io::stderr().is_terminal() {
            return;
        }
        let bar = bar.get_or_insert_with(|| {
            let style = ProgressStyle::with_template("reading symbols {bar:40} {pos}/{len}");
            let bar = ProgressBar::new(total as u64);
            bar.with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
        });
        bar.set_length(total as u64);
        bar.set_position(done as u64);
    });
    if let Some(bar) = bar {
        bar.finish_and_clear();
    }
}
