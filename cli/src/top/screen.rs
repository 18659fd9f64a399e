//! The terminal: taken when the view starts, given back however it ends.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM};

use super::app::{App, Next};
use super::draw::{FRAME, HEADER, draw};
use crate::view::source::Source;

/// How long nothing may be noticed: signals, names that arrive.
const GLANCE: Duration = Duration::from_millis(100);
/// Size of a picture for no terminal: rows of the table, and columns.
const STILL: (usize, u16) = (40, 160);

/// Shows the view until somebody ends it.
pub(crate) fn run(app: &mut App, source: &Source, every: Duration) -> io::Result<()> {
    let signal = Arc::new(AtomicUsize::new(0));
    for number in [SIGHUP, SIGINT, SIGQUIT, SIGTERM] {
        signal_hook::flag::register_usize(number, Arc::clone(&signal), number as usize)?;
    }
    // It also makes panics give the terminal back before they print.
    let mut terminal = ratatui::try_init()?;
    let outcome = watch(&mut terminal, app, source, every, &signal);
    ratatui::restore();
    if let Ok(number @ 1..) = i32::try_from(signal.load(Ordering::Relaxed)) {
        // Who sent the signal learns that it did what it does.
        signal_hook::low_level::emulate_default_handler(number)?;
    }
    outcome
}

fn watch(
    terminal: &mut ratatui::DefaultTerminal,
    app: &mut App,
    source: &Source,
    every: Duration,
    signal: &AtomicUsize,
) -> io::Result<()> {
    let started = Instant::now();
    let mut last = started;
    loop {
        app.poll();
        terminal.draw(|frame| draw(frame, app))?;
        if wait_for_key(GLANCE.min(every))? == Watcher::Gone {
            return Ok(());
        }
        if event::poll(Duration::ZERO)?
            && let Event::Key(key) = event::read()?
            && key.kind != KeyEventKind::Release
            && app.key(key) == Next::Quit
        {
            return Ok(());
        }
        if signal.load(Ordering::Relaxed) != 0 {
            return Ok(());
        }
        if !app.is_paused && last.elapsed() >= every {
            last = Instant::now();
            match source.read() {
                Ok(ledger) => app.feed(ledger, started.elapsed().as_secs_f64()),
                Err(error) => app.trouble = Some(error.to_string()),
            }
        }
    }
}

/// Whether there still is somebody to watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Watcher {
    There,
    Gone,
}

/// Waits for a key, or as long as `patience`. Not by crossterm: where the terminal has been closed
/// without a signal, its wait never ends and takes a whole processor.
fn wait_for_key(patience: Duration) -> io::Result<Watcher> {
    let stdin = io::stdin();
    let mut polled = [PollFd::new(&stdin, PollFlags::IN)];
    let patience = Timespec::try_from(patience).map_err(io::Error::other)?;
    match poll(&mut polled, Some(&patience)) {
        Ok(_) | Err(rustix::io::Errno::INTR) => {}
        Err(error) => return Err(error.into()),
    }
    let gone = PollFlags::HUP | PollFlags::ERR | PollFlags::NVAL;
    let is_gone = polled[0].revents().intersects(gone);
    Ok(if is_gone { Watcher::Gone } else { Watcher::There })
}

/// One picture as text, with all names that are in it.
pub(crate) fn still(app: &mut App) -> io::Result<String> {
    let (most, width) = STILL;
    let rows = app.table().rows.len().clamp(1, most);
    let height = HEADER + FRAME + u16::try_from(rows).unwrap_or(u16::MAX);
    picture(app, width, height)?;
    let rows: Vec<_> = app.table().rows.iter().take(rows).map(|row| row.key as u32).collect();
    crate::page::resolve(&mut app.names, &app.ledger.snapshot, &rows);
    let picture = picture(app, width, height)?;
    // The last line tells about keys.
    let lines = picture.lines().count().saturating_sub(1);
    Ok(picture.lines().take(lines).map(|line| format!("{}\n", line.trim_end())).collect())
}

/// The picture on a screen of that size.
pub(crate) fn picture(app: &mut App, width: u16, height: u16) -> io::Result<String> {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).map_err(io::Error::other)?;
    terminal.draw(|frame| draw(frame, app)).map_err(io::Error::other)?;
    let buffer = terminal.backend().buffer();
    let line = |row: u16| -> String {
        (0..width)
            .filter_map(|column| buffer.cell((column, row)))
            .map(|cell| cell.symbol())
            .collect()
    };
    Ok((0..height).map(|row| line(row) + "\n").collect())
}
