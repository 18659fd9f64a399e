//! Guards for some blocks: mistakes that come again are found, where they were found before at
//! once, and programs without any never notice.

use super::planted::VARIABLE;
use super::support::{Outcome, Run, TempDir};
use super::{Programs, support};
use std::path::Path;
use std::{env, fs};

/// Rounds of a program's life.
const LONG: u32 = 60_000;
/// So many that the share of the time that guards may take is enough for some at each call site.
const FOUND: u32 = 10_000_000;
const SHORT: u32 = 40;

fn run(kind: &str, rounds: u32, options: &str) -> Outcome {
    let program = Programs::get().path("sampled");
    Run::new(program).args([kind, &rounds.to_string()]).preloaded(options).outcome()
}

fn with_sites(options: &str, sites: &Path) -> String {
    format!("{options},guard_sites={}", sites.display())
}

/// Whether it was stopped; then it must have been named, with the right functions.
fn is_found(outcome: &Outcome, sentence: &str, functions: &[&str]) -> bool {
    let message = outcome.err();
    if outcome.code() == Some(0) {
        assert_eq!(message, "", "it says something and goes on");
        return false;
    }
    assert!(message.starts_with(sentence), "no {sentence}:\n{message}");
    for function in functions {
        assert!(message.contains(&format!("  {function}  ")), "no {function}:\n{message}");
    }
    true
}

/// Mistakes, what is said of them, and by whom they are.
const MISTAKES: [(&str, &str, &[&str]); 4] = [
    (
        "overflow",
        "heap buffer overflow: a write 24 bytes past a 48-byte block from `parse_header`",
        &["overflow", "parse_header"],
    ),
    (
        "read",
        "heap buffer overflow: a read 16 bytes past a 48-byte block from `parse_header`",
        &["read_past", "parse_header"],
    ),
    (
        "canary",
        "heap buffer overflow: 1 byte written past a 43-byte block from `parse_header`",
        &["drop_header", "parse_header"],
    ),
    (
        "use-after-free",
        "use after free: a read at offset 3 of a 48-byte block from `parse_header` \
        after it was freed by `drop_header`",
        &["use_freed", "parse_header", "drop_header"],
    ),
];

#[test]
fn a_mistake_that_comes_again_is_found_within_a_few_runs() {
    for (kind, says, functions) in MISTAKES {
        let says = format!("heapsight: {says}");
        let tries =
            (1..=8).find(|_| is_found(&run(kind, FOUND, "safety=sampled:32K"), &says, functions));
        assert!(tries.is_some(), "{kind} was never found");
    }
}

#[test]
fn programs_without_mistakes_never_notice() {
    for options in [
        "safety=sampled",
        "safety=sampled:1",
        "safety=sampled:4K,guard_side=left",
        "safety=sampled:4K,track=sample:1K",
        "safety=sampled:2K,safety_seed=3",
    ] {
        for kind in ["none", "none-threads"] {
            let outcome = run(kind, LONG, options);
            assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""), "{kind} {options}");
            assert_eq!(outcome.stdout, b"done\n", "{kind} {options}");
        }
    }
}

#[test]
fn what_one_run_has_found_the_next_one_guards() {
    let scratch = TempDir::new("sites");
    for (first, rounds) in [("safety=full", SHORT), ("safety=sampled:4K", FOUND)] {
        let sites = scratch.join(first.replace('=', "-"));
        let options = with_sites(first, &sites);
        let found = (1..=8).map(|_| run("canary", rounds, &options));
        let outcome = found.into_iter().find(|outcome| outcome.code() != Some(0));
        let message = outcome.unwrap_or_else(|| panic!("{first} never finds it")).err();
        assert!(message.contains("The block's call site is noted in guard_sites"), "{message}");
        let text = fs::read_to_string(&sites).expect("the file of sites");
        let lines: Vec<_> = text.lines().collect();
        assert_eq!((lines.len(), lines[0]), (2, "heapsight guard sites, version 1"), "{text}");
        assert!(lines[1].starts_with("site ") && lines[1].contains("`parse_header`"), "{text}");
        // Far too short to be found by chance, and other addresses each time.
        for (kind, says, functions) in MISTAKES {
            let options = with_sites("safety=sampled", &sites);
            let outcome = run(kind, SHORT, &options);
            let is_found = is_found(&outcome, &format!("heapsight: {says}"), functions);
            assert!(is_found, "{kind} after {first}: {}", outcome.err());
        }
        assert_eq!(fs::read_to_string(&sites).expect("the file"), text, "it is known already");
        let outcome = run("none", LONG, &with_sites("safety=sampled", &sites));
        assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""));
    }
}

#[test]
fn without_the_file_the_same_run_finds_nothing() {
    let found = (0..4).filter(|_| run("read", SHORT, "safety=sampled").code() != Some(0)).count();
    assert_eq!(found, 0, "the tests of the file prove nothing");
}

#[test]
fn files_that_are_not_ours_are_left_alone() {
    let scratch = TempDir::new("sites");
    let path = scratch.join("notes");
    for text in ["Dear diary,\n", "\0\u{1}\n", "site 1 2 3\n", "\n"] {
        fs::write(&path, text).expect("a file");
        let outcome = run("canary", SHORT, &with_sites("safety=full", &path));
        let message = outcome.err();
        let first = message.lines().next().unwrap_or_default();
        assert!(
            first.starts_with("heapsight: guard_sites: '")
                && first.ends_with(
                    "': it is no file of guarded sites: left as it is, and guards nothing."
                ),
            "{message}"
        );
        assert!(
            message.contains("heap buffer overflow: ") && !message.contains("noted"),
            "{message}"
        );
        assert_eq!(fs::read_to_string(&path).expect("the file"), text);
    }
    for path in [scratch.path().to_owned(), "/dev/null/x".into()] {
        let outcome = run("none", SHORT, &with_sites("safety=sampled", &path));
        let message = outcome.err();
        assert!(message.starts_with("heapsight: guard_sites: ") && message.lines().count() == 1);
        assert_eq!(outcome.code(), Some(0), "{message}");
    }
}

#[test]
fn damaged_lines_are_named_and_the_others_count() {
    let scratch = TempDir::new("sites");
    let path = scratch.join("sites");
    let sites = with_sites("safety=full", &path);
    assert_ne!(run("canary", SHORT, &sites).code(), Some(0));
    let text = fs::read_to_string(&path).expect("the file");
    let damaged = format!("{text}site what\n# a note\nsite 12 34");
    fs::write(&path, &damaged).expect("the file");
    let outcome = run("read", SHORT, &with_sites("safety=sampled", &path));
    let message = outcome.err();
    let says = "2 lines that are no site, the first is line 3: (ignored).";
    assert!(message.lines().next().is_some_and(|line| line.ends_with(says)), "{message}");
    assert!(message.contains("heap buffer overflow: a read "), "{message}");
    // What is found elsewhere goes behind what was torn.
    let outcome = run("other", SHORT, &sites);
    assert_ne!(outcome.code(), Some(0));
    let after = fs::read_to_string(&path).expect("the file");
    let added = after.strip_prefix(&damaged).expect("nothing is lost");
    assert!(added.starts_with("\nsite ") && added.contains("`parse_body`"), "{after}");
}

#[test]
fn a_seed_gives_the_same_samples() {
    let reports = |seed: u32| -> Vec<String> {
        let options = format!("safety=sampled:16K,safety_action=report,safety_seed={seed}");
        let outcome = run("read", 20_000, &options);
        assert_eq!(outcome.code(), Some(0), "{}", outcome.err());
        let message = outcome.err();
        let said = String::from_utf8(outcome.stdout).expect("text");
        let count = message.lines().filter(|line| line.contains(": a read 16 bytes")).count();
        said.lines().map(str::to_owned).chain([count.to_string()]).collect()
    };
    let first = reports(1);
    assert_ne!(first.last().map(String::as_str), Some("0"));
    assert_eq!(first, reports(1));
    assert!((2..8).any(|seed| reports(seed) != first), "seeds make no difference");
}

#[test]
fn a_rust_programs_sites_are_guarded_too() {
    let scratch = TempDir::new("sites");
    let sites = scratch.join("sites");
    let planted = |kind: &str, options: &str| {
        Run::new(env::current_exe().expect("this program"))
            .args(["--exact", "planted_misuse", "--test-threads=1"])
            .env(VARIABLE, format!("{kind} 24"))
            .env("HEAPSIGHT", with_sites(options, &sites))
            .outcome()
    };
    assert_ne!(planted("overflow", "safety=full").code(), Some(0));
    for (kind, says) in [
        ("overflow", "heap buffer overflow: a write right past a 24-byte block"),
        ("read-after-free", "use after free: a read at offset 0 of a 24-byte block"),
    ] {
        // Walks take long in a program that is not optimised: time must not count.
        let outcome = planted(kind, "safety=sampled,safety_seed=1");
        let message = outcome.err();
        assert!(message.contains(says) && message.contains("from `"), "{kind}:\n{message}");
        assert!(message.contains("allocate_it"), "{kind}:\n{message}");
    }
    let outcome = planted("none", "safety=sampled,safety_seed=1");
    assert_eq!((outcome.code(), outcome.err().as_str()), (Some(0), ""));
}

#[test]
fn the_command_takes_both_options() {
    let scratch = TempDir::new("sites");
    let sites = scratch.join("a,file");
    let command = |options: &[&str], kind: &str| {
        Run::new(support::artifact("heapsight"))
            .arg("run")
            .args(options)
            .arg("--guard-sites")
            .arg(&sites)
            .arg("--")
            .arg(Programs::get().path("sampled"))
            .args([kind, &SHORT.to_string()])
            .outcome()
    };
    let outcome = command(&["--safety", "full"], "canary");
    assert!(outcome.err().contains("noted in guard_sites"), "{}", outcome.err());
    for options in [&["--safety", "sampled:1M"][..], &[]] {
        let message = command(options, "read").err();
        assert!(message.contains("heap buffer overflow: a read 16 bytes past"), "{message}");
    }
}
