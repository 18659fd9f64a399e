//! Help teaches: what it is, how to start, what the exit codes mean.

use crate::world::{World, outcome};

fn help(arguments: &[&str]) -> String {
    let help = outcome(World::new().command().args(arguments));
    assert_eq!((help.code, help.stderr.as_str()), (Some(0), ""), "{arguments:?}");
    help.stdout
}

#[test]
fn the_first_page_says_what_it_is_and_shows_examples() {
    let page = help(&["--help"]);
    assert!(page.starts_with("Heapsight is a memory allocator that knows where every byte"));
    let examples = page.lines().filter(|line| line.starts_with("  heapsight ")).count();
    assert!(examples >= 4, "{page}");
    assert!(page.contains("heapsight run -- ./server"));
    assert!(page.contains("Exit codes:"));
}

#[test]
fn the_page_of_run_explains_flags_values_and_exit_codes() {
    let page = help(&["run", "--help"]);
    for expected in ["--track <MODE>", "- full:", "--leaks-exitcode <N>", "--library", "HEAPSIGHT"]
    {
        assert!(page.contains(expected), "{expected} is missing from:\n{page}");
    }
    for code in ["    2 ", "    125 ", "    126 ", "    127 "] {
        assert!(page.contains(code), "exit code {code} is missing from:\n{page}");
    }
}

#[test]
fn help_fits_a_terminal_of_a_hundred_columns() {
    let pages = [
        &["--help"][..],
        &["-h"],
        &["run", "--help"],
        &["leaks", "--help"],
        &["why", "--help"],
        &["options", "--help"],
    ];
    for arguments in pages {
        for line in help(arguments).lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn the_version_is_the_packages() {
    assert_eq!(help(&["--version"]), concat!("heapsight ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn without_arguments_the_help_appears_as_an_error() {
    let bare = outcome(&mut World::new().command());
    assert_eq!(bare.code, Some(2));
    assert!(bare.stderr.contains("heapsight run -- ./server"), "{}", bare.stderr);
}

#[test]
fn colour_is_for_terminals() {
    let world = World::new();
    let plain = outcome(world.command().args(["run", "no-such-program"]));
    assert!(!plain.stderr.contains('\u{1b}'), "{}", plain.stderr);
    let forced = outcome(world.command().args(["run", "x"]).env("CLICOLOR_FORCE", "1"));
    assert!(forced.stderr.contains('\u{1b}'), "{}", forced.stderr);
}
