//! `report`, `diff`, `export` and `top` on ledgers in files and in processes.

use std::fs::{self, File};
use std::path::PathBuf;
use std::process;

use heapsight::ledger::{Snapshot, State};
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};
use serde_json::Value;

use crate::ledgers::{Shop, write};
use crate::world::{Outcome, World, outcome};

/// A world with the ledger of the shop in it.
fn world() -> (World, Snapshot) {
    let world = World::new();
    let snapshot = Shop::build(&world).snapshot();
    write(&world.path("shop.ledger"), &snapshot);
    (world, snapshot)
}

fn run(world: &World, line: &str) -> Outcome {
    outcome(world.command().args(line.split(' ')))
}

#[track_caller]
fn printed(world: &World, line: &str) -> String {
    let outcome = run(world, line);
    assert_eq!((outcome.code, outcome.stderr.as_str()), (Some(0), ""), "{line}");
    assert!(!outcome.stdout.contains('\u{1b}'), "colour is for terminals: {}", outcome.stdout);
    outcome.stdout
}

#[track_caller]
fn assert_has(text: &str, expected: &[&str]) {
    for part in expected {
        assert!(text.contains(part), "{part} is missing from:\n{text}");
    }
}

#[test]
fn a_report_names_functions_files_and_inlined_calls() {
    let (world, _) = world();
    let page = printed(&world, "report shop.ledger");
    let first = page.lines().next().expect("a line");
    assert!(first.starts_with("heapsight: "), "{first}");
    let said = "exited with 3 after 10.0 s; 4.9 KiB in 5 blocks were never freed; it held at most \
                10.4 KiB";
    assert_has(first, &[said, "93 % of it from add_item"]);
    assert_has(&page, &["#0  add_item  ", "shop.c:3 (inlined)", "#1  fill_cart  ", "shop.c:6"]);
    assert_has(&page, &["#2  main  ", "greet"]);
}

#[test]
fn a_report_as_json_has_its_tables() {
    let (world, _) = world();
    let page = printed(&world, "report shop.ledger --by live --json --threads --timeline");
    let page: Value = serde_json::from_str(&page).expect("JSON");
    assert_eq!(page["process"]["status"], 3);
    assert_eq!(page["sites"][0]["counters"]["live_bytes"], 5000);
    assert_eq!(page["sites"][0]["stack"][1]["function"], "fill_cart");
    assert_eq!(page["threads"][0]["name"], "shop");
    assert_eq!(page["timeline"].as_array().map(Vec::len), Some(2));
}

#[test]
fn without_symbols_frames_are_places() {
    let (world, _) = world();
    let page = printed(&world, "report shop.ledger --no-symbols");
    assert_has(&page, &["/shop+0x"]);
    assert!(!page.contains("fill_cart"), "{page}");
}

#[test]
fn a_replaced_program_is_said_to_be_gone() {
    let (world, mut snapshot) = world();
    snapshot.modules[0].build_id = vec![7; 20];
    write(&world.path("old.ledger"), &snapshot);
    let page = printed(&world, "report old.ledger");
    assert_has(&page, &["no names from ", "it is gone or was rebuilt since", "/shop+0x"]);
}

#[test]
fn a_running_process_is_found_by_the_ledger_it_maps() {
    let (world, mut snapshot) = world();
    let path = world.path("any name");
    snapshot.process.pid = process::id();
    snapshot.process.state = State::Running;
    write(&path, &snapshot);
    let file = File::options().read(true).write(true).open(&path).expect("opened");
    // SAFETY: a new mapping touches no memory that is in use.
    let mapping = unsafe {
        let rights = ProtFlags::READ | ProtFlags::WRITE;
        mmap(std::ptr::null_mut(), 8192, rights, MapFlags::SHARED, &file, 0).expect("mapped")
    };
    let pid = process::id();
    let page = printed(&world, &format!("report {pid}"));
    assert_has(&page, &["is running for 10.0 s; 4.9 KiB in 5 blocks are in use"]);
    let picture = printed(&world, &format!("top {pid}"));
    assert_has(&picture, &["is running", "add_item"]);
    // SAFETY: the mapping is ours, and nothing refers to it.
    unsafe { munmap(mapping, 8192) }.expect("unmapped");
    let silent = printed(&world, "top --once shop.ledger");
    assert_has(&silent, &["exited with 3"]);
}

#[test]
fn what_is_no_ledger_is_refused_in_a_line_that_helps() {
    let (world, _) = world();
    world.file("text", "hello", 0o644);
    world.file("empty", "", 0o644);
    let untracked = format!("report {}", std::os::unix::process::parent_id());
    for (line, expected) in [
        ("report no.ledger", "there is no file 'no.ledger': give the path of a ledger, or a"),
        ("report 4000000000", "there is no process 4000000000: if it has ended"),
        (untracked.as_str(), "does not run on Heapsight: start it with 'heapsight run"),
        ("top text", "'text' is not a ledger but"),
        ("diff shop.ledger empty", "'empty' is empty"),
        ("export /tmp --format pprof", "'/tmp' is no regular file"),
        ("report shop.ledger --tree callers --by lifetime", "has no sums for a tree"),
        ("export shop.ledger --format pprof --metric live", "has no meaning here"),
    ] {
        let outcome = run(&world, line);
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(2), ""), "{line}");
        assert_eq!(outcome.stderr.lines().count(), 1, "{}", outcome.stderr);
        assert_has(&outcome.stderr, &["heapsight: ", expected]);
    }
}

#[test]
fn a_difference_fails_above_its_limit() {
    let (world, mut snapshot) = world();
    let counters = &mut snapshot.sites[3].counters;
    (counters.live, counters.live_bytes) = (50, 350);
    (counters.frees, counters.freed_bytes) = (50, 350);
    let bias = 0x7777_0000;
    snapshot.modules[0].bias += bias;
    snapshot.modules[0].start += bias;
    snapshot.modules[0].end += bias;
    snapshot.frames.iter_mut().skip(1).for_each(|frame| frame.address += bias);
    write(&world.path("later.ledger"), &snapshot);
    let page = printed(&world, "diff shop.ledger later.ledger --fail-above 350");
    assert_has(&page, &["+350 B", "1 call stack changed", "1. +350 B new", "#0  greet  "]);
    let outcome = run(&world, "diff shop.ledger later.ledger --fail-above 349 --json");
    assert_eq!(outcome.code, Some(1));
    assert_has(&outcome.stderr, &["bytes in use: +350 B is above the 349 B of --fail-above"]);
    let page: Value = serde_json::from_str(&outcome.stdout).expect("JSON");
    assert_eq!(page["fates"]["new"]["call_stacks"], 1);
    let none = printed(&world, "diff shop.ledger shop.ledger --fail-above 0");
    assert_has(&none, &["no call stack differs"]);
}

#[test]
fn exports_go_to_a_file_or_to_stdout() {
    let (world, _) = world();
    for (format, name, start) in [
        ("pprof", "shop.pb.gz", &b"\x1f\x8b"[..]),
        ("collapsed", "shop.collapsed.txt", b"main;"),
        ("flamegraph", "shop.svg", b"<?xml"),
        ("firefox", "shop.firefox.json", b"{"),
        ("speedscope", "shop.speedscope.json", b"{"),
        ("heaptrack", "shop.heaptrack.gz", b"\x1f\x8b"),
    ] {
        let outcome = run(&world, &format!("export shop.ledger --format {format}"));
        assert_eq!((outcome.code, outcome.stdout.as_str()), (Some(0), ""), "{}", outcome.stderr);
        assert_has(&outcome.stderr, &["heapsight: wrote ", name]);
        let written = fs::read(world.path(name)).expect("it was written");
        assert!(written.starts_with(start), "{format}");
    }
    let lines = printed(&world, "export shop.ledger --format collapsed --metric live -o -");
    assert_eq!(lines, "main;fill_cart;add_item 5000\n");
    let outcome = run(&world, "export shop.ledger --format collapsed -o no/such/file");
    assert_eq!(outcome.code, Some(1));
    assert_has(&outcome.stderr, &["cannot write to 'no/such/file'"]);
}

/// Runs `top` on a terminal, with `keys` typed into it, and takes what it showed. Nothing if there
/// is no `script` to make a terminal.
fn on_a_terminal(world: &World, keys: &str) -> Option<String> {
    let top = env!("CARGO_BIN_EXE_heapsight");
    let shell =
        format!("stty rows 30 cols 150; echo; ({keys}) & exec {top} top --every 0.1 shop.ledger");
    let mut command = process::Command::new("script");
    command.args(["-qec", &shell, "/dev/null"]).current_dir(world.path(""));
    command.stdin(process::Stdio::piped()).env("TERM", "xterm-256color").env("SHELL", "/bin/sh");
    let Ok(child) = command.stdout(process::Stdio::piped()).spawn() else {
        eprintln!("skipped: 'script' is not installed");
        return None;
    };
    let output = child.wait_with_output().expect("it ends");
    Some(String::from_utf8_lossy(&output.stdout).into_owned())
}

#[test]
fn the_terminal_is_given_back_when_a_signal_ends_the_view() {
    let (world, _) = world();
    let Some(shown) = on_a_terminal(&world, "sleep 1; kill -TERM $$") else { return };
    assert_has(&shown, &["\u{1b}[?1049h", "add_item", "live▼", "\u{1b}[?1049l"]);
    assert!(shown.rfind("\u{1b}[?1049l") > shown.rfind("add_item"), "{shown:?}");
}

#[test]
fn help_of_each_command_has_examples_and_exit_codes() {
    let world = World::new();
    for command in ["report", "diff", "export", "top"] {
        let page = printed(&world, &format!("{command} --help"));
        assert_has(&page, &["Examples:\n", &format!("  heapsight {command} "), "Exit codes: 0; 1"]);
        for line in page.lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn a_hundred_thousand_call_stacks_are_no_trouble() {
    let (world, mut snapshot) = world();
    for number in 0..100_000u32 {
        let parent = 1 + number / 2;
        snapshot.nodes.push(heapsight::ledger::Node { parent, frame: 2 + number % 2 });
        let mut site = snapshot.sites[2].clone();
        site.node = 4 + number;
        site.counters.at_peak_bytes = u64::from(number);
        snapshot.sites.push(site);
    }
    write(&world.path("large.ledger"), &snapshot);
    let started = std::time::Instant::now();
    let page = printed(&world, "report large.ledger --tree callers");
    assert_has(&page, &["fill_cart"]);
    let _page = printed(&world, "top large.ledger");
    let elapsed = started.elapsed();
    assert!(elapsed.as_secs() < 60, "{elapsed:?}, in a debug build");
    let _path: PathBuf = world.path("large.ledger");
}
