//! The live view: what keys do, and what is seen then.

use heapsight::ledger::Snapshot;
use ratatui::crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::app::{App, Layer, Next};
use super::rows::View;
use super::screen::{picture, still};
use crate::view::metric::Metric;
use crate::view::sample;
use crate::view::source::Ledger;

fn ledger(change: impl FnOnce(&mut Snapshot)) -> Ledger {
    let mut snapshot = sample::snapshot();
    change(&mut snapshot);
    Ledger { path: "shop.ledger".into(), snapshot, is_alive: false }
}

fn app() -> App {
    App::new(ledger(|_| ()), sample::names(), Metric::Live, 0.0)
}

fn press(app: &mut App, keys: impl IntoIterator<Item = KeyCode>) -> Next {
    let press = |key| app.key(KeyEvent::new(key, KeyModifiers::NONE));
    keys.into_iter().map(press).last().unwrap_or(Next::Go)
}

fn type_in(app: &mut App, text: &str) {
    press(app, text.chars().map(KeyCode::Char));
}

fn seen(app: &mut App) -> String {
    picture(app, 150, 30).expect("drawn")
}

#[track_caller]
fn assert_seen(app: &mut App, expected: &[&str]) {
    let picture = seen(app);
    for text in expected {
        assert!(picture.contains(text), "{text} is missing from:\n{picture}");
    }
}

#[test]
fn the_first_picture_has_header_curve_and_table() {
    assert_seen(
        &mut app(),
        &[
            "shop (pid 31137) exited with 0  2.3 s  ./shop --open a b",
            "live 5.2 KiB in 13 blocks   peak 548 KiB   resident 3.0 MiB   1,114 allocations",
            "overhead 781 KiB",
            "▁▁▁▁",
            "live▼",
            "   4.9 KiB          10",
            "add_item",
            "? help",
        ],
    );
}

#[test]
fn changes_and_rates_are_since_the_last_refresh_and_growth_since_the_start() {
    let mut app = app();
    let grown = |by: u64| {
        ledger(move |snapshot| {
            snapshot.sites[4].counters.live_bytes += by;
            snapshot.sites[4].counters.allocations += by;
            snapshot.totals.total_allocations += by;
        })
    };
    app.feed(grown(1024), 2.0);
    assert_seen(&mut app, &["512/s", " +1.0 KiB    +1.0 KiB", "        512 "]);
    app.feed(grown(3072), 4.0);
    assert_seen(&mut app, &["1,024/s", " +2.0 KiB    +3.0 KiB"]);
    type_in(&mut app, "b");
    assert_seen(&mut app, &[" +2.0 KiB         0 B"]);
}

#[test]
fn columns_sort_both_ways_and_the_selected_row_stays_selected() {
    let mut app = app();
    let keys = |app: &mut App| app.table().rows.iter().map(|row| row.key).collect::<Vec<_>>();
    assert_eq!(keys(&mut app), [8, 4, 0, 6]);
    press(&mut app, [KeyCode::Down]);
    type_in(&mut app, "ssss");
    assert_seen(&mut app, &["allocated▼"]);
    assert_eq!(keys(&mut app), [4, 6, 8, 0]);
    type_in(&mut app, "r");
    assert_eq!(keys(&mut app), [0, 8, 6, 4]);
    assert_eq!(app.table().state.selected(), Some(3));
    // The caption has no order: it is passed over.
    type_in(&mut app, "ssssss");
    assert_seen(&mut app, &["live▼"]);
    type_in(&mut app, "S");
    assert_seen(&mut app, &["lived▼"]);
}

#[test]
fn each_view_has_its_table() {
    let mut app = app();
    press(&mut app, [KeyCode::Tab]);
    assert_eq!(app.view, View::Threads);
    assert_seen(&mut app, &["name", "31137", "shop"]);
    type_in(&mut app, "3");
    assert_seen(&mut app, &["up to", "12.0 KiB"]);
    press(&mut app, [KeyCode::BackTab, KeyCode::BackTab]);
    assert_eq!(app.view, View::Sites);
}

#[test]
fn a_narrow_terminal_has_the_columns_that_matter() {
    let picture = picture(&mut app(), 80, 12).expect("drawn");
    let head = picture.lines().nth(4).expect("a heading");
    let columns: Vec<_> = head.split_whitespace().collect();
    assert_eq!(columns, ["live▼", "change", "allocated", "count", "count/s", "allocated", "by"]);
    assert!(picture.contains("add_item"), "{picture}");
}

#[test]
fn a_call_stack_opens_with_lines_numbers_and_lifetimes() {
    let mut app = app();
    press(&mut app, [KeyCode::Down, KeyCode::Enter]);
    assert_eq!(app.layer, Layer::Stack { node: 4, scroll: 0 });
    assert_seen(
        &mut app,
        &[
            "in use  300 B in 3 blocks",
            "allocated  1.0 MiB in 100 blocks",
            "freed blocks lived",
            "< 4.0 KiB  ████████",
            "0  add_item  src/shop.c:14 (inlined)",
            "1  fill_cart  src/shop.c:31",
        ],
    );
    press(&mut app, [KeyCode::End, KeyCode::PageDown, KeyCode::PageDown]);
    seen(&mut app);
    assert_eq!(app.layer, Layer::Stack { node: 4, scroll: 0 }, "all of it fits the screen");
    press(&mut app, [KeyCode::Esc]);
    assert_eq!(app.layer, Layer::None);
}

#[test]
fn the_search_narrows_as_it_is_typed_and_ends() {
    let mut app = app();
    type_in(&mut app, "/GREE");
    assert_eq!(app.table().rows.len(), 1);
    assert_seen(&mut app, &["search: GREE█", "1 with 'GREE'", "greet"]);
    press(&mut app, [KeyCode::Backspace, KeyCode::Enter]);
    assert!(!app.is_typing && app.search == "GRE");
    press(&mut app, [KeyCode::Esc]);
    assert_eq!(app.table().rows.len(), 4);
    type_in(&mut app, "/nothing like this");
    assert_seen(&mut app, &["0 with 'nothing like this'"]);
    press(&mut app, [KeyCode::Down, KeyCode::Esc, KeyCode::Enter]);
    assert!(matches!(app.layer, Layer::Stack { .. }));
}

#[test]
fn pause_help_trouble_and_the_end() {
    let mut app = app();
    type_in(&mut app, " ");
    assert!(app.is_paused);
    assert_seen(&mut app, &["PAUSED"]);
    type_in(&mut app, "?");
    assert_seen(&mut app, &["Keys, and what columns mean", "turn the order around"]);
    press(&mut app, [KeyCode::Esc]);
    app.trouble = Some("the ledger is\u{1b}gone".into());
    assert_seen(&mut app, &["the ledger is?gone"]);
    app.feed(ledger(|_| ()), 1.0);
    assert_eq!(app.trouble, None);
    assert_eq!(press(&mut app, [KeyCode::Char('q')]), Next::Quit);
    let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
    type_in(&mut app, "/");
    assert_eq!(app.key(interrupt), Next::Quit);
}

#[test]
fn any_keys_on_any_screen_do_no_harm() {
    let mut app = app();
    let keys = [
        KeyCode::Up,
        KeyCode::PageUp,
        KeyCode::Home,
        KeyCode::End,
        KeyCode::PageDown,
        KeyCode::Enter,
        KeyCode::Down,
        KeyCode::Esc,
        KeyCode::Tab,
        KeyCode::Char('s'),
        KeyCode::Char('?'),
    ];
    for (width, height) in [(1, 1), (10, 3), (80, 6), (300, 100)] {
        for key in keys {
            press(&mut app, [key]);
            picture(&mut app, width, height).expect("drawn");
        }
    }
    let mut empty = App::new(
        Ledger { path: "x".into(), snapshot: Snapshot::default(), is_alive: false },
        sample::names(),
        Metric::Live,
        0.0,
    );
    for key in keys {
        press(&mut empty, [key]);
        seen(&mut empty);
    }
}

#[test]
fn a_still_picture_has_no_keys() {
    let text = still(&mut app()).expect("drawn");
    assert!(text.starts_with("shop (pid 31137)") && !text.contains("q end"), "{text}");
    assert_eq!(text.lines().count(), 9);
    assert!(text.lines().all(|line| line == line.trim_end()));
}
