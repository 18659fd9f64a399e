//! What `leaks` and `why` refuse, and how they run a program. Answers of running processes are in
//! `tests/live` of the library.

use std::fs;

use crate::ledgers::Shop;
use crate::world::{World, outcome};

/// Checks that the line is refused with exit code 2 and that it says all of `parts`.
fn assert_refused(world: &World, line: &[&str], parts: &[&str]) {
    let refusal = outcome(world.command().args(line));
    assert_eq!((refusal.code, refusal.stdout.as_str()), (Some(2), ""), "{line:?}");
    for part in parts {
        assert!(refusal.stderr.contains(part), "{part:?} is not in: {}", refusal.stderr);
    }
}

#[test]
fn what_cannot_be_asked_is_refused() {
    let world = World::new();
    world.file("text", "no ledger", 0o644);
    let own = std::process::id().to_string();
    for command in [&["leaks"][..], &["why"]] {
        let with = |target| {
            let tail: &[&str] = if command == ["why"] { &["main"] } else { &[] };
            [command, &[target], tail].concat()
        };
        assert_refused(&world, &with("missing"), &["there is no file 'missing'"]);
        assert_refused(&world, &with("text"), &["'text'"]);
        assert_refused(&world, &with("4294967295"), &["there is no process 4294967295"]);
        assert_refused(&world, &with(&own), &["does not run on Heapsight", "--ledger FILE"]);
    }
}

#[test]
fn a_process_that_has_ended_cannot_be_asked() {
    let world = World::new();
    let shop = Shop::build(&world);
    crate::ledgers::write(&world.path("a.ledger"), &shop.snapshot());
    assert_refused(&world, &["leaks", "a.ledger"], &["has ended", "report a.ledger --by live"]);
}

#[test]
fn lines_that_contradict_themselves_are_refused() {
    let world = World::new();
    let lines = [
        (&["leaks"][..], "required"),
        (&["leaks", "1", "--", "true"], "cannot be used with"),
        (&["leaks", "--wait", "5s", "--", "true"], "cannot be used with"),
        (&["leaks", "1", "--growth", "2"], "3..=1000"),
        (&["leaks", "1", "--growth", "3", "--every", "soon"], "ms, s, m or h"),
        (
            &["leaks", "1", "--format", "xml"],
            "[possible values: text, json, sarif, markdown, lsan]",
        ),
        (&["leaks", "--format", "json", "--", "true"], "by --output"),
        (&["leaks", "1", "--growth", "3", "--format", "sarif"], "sarif can tell of leaks only"),
        (&["why", "1"], "<ADDRESS|FUNCTION|FILE:LINE>"),
        (&["why", "1", "1234"], "write an address as 0x"),
        (&["why", "1", "0xg"], "this is no address"),
    ];
    for (line, part) in lines {
        assert_refused(&world, line, &[part]);
    }
}

#[test]
fn a_program_is_run_with_leaks_on_and_a_code_for_them() {
    let world = World::new();
    let library = world.library("nothing.so");
    let shown = |more: &[&str]| {
        let mut command = world.command();
        command.arg("leaks").arg("--library").arg(&library).args(more);
        let shown = outcome(command.args(["--", "sh", "-c", "echo $HEAPSIGHT"]));
        assert_eq!((shown.code, shown.stderr.as_str()), (Some(0), ""));
        shown.stdout
    };
    assert_eq!(shown(&[]), "track=full,leaks=on,leaks_exitcode=23\n");
    let path = world.path("out.json");
    let options = shown(&["--exit-code", "9", "--output", "out.json", "-o", "purge_delay=7"]);
    let expected = "purge_delay=7,track=full,leaks=on,leaks_exitcode=9,report=out.json";
    assert_eq!(options, format!("{expected},report={}\n", path.display()));
    assert!(fs::metadata(path).is_ok(), "it can be written");
}

#[test]
fn help_shows_how_to_ask_and_what_the_codes_mean() {
    for (name, parts) in [
        ("leaks", &["heapsight leaks 31137 --growth", "-- ./batch", "  23 ", "EINTR"][..]),
        ("why", &["heapsight why 31137 0x7f21c40012a0", "cache.c:120", "Exit codes"]),
    ] {
        let help = outcome(World::new().command().args([name, "--help"]));
        assert_eq!(help.code, Some(0));
        for part in parts {
            assert!(help.stdout.contains(part), "{part:?} is not in:\n{}", help.stdout);
        }
    }
}
