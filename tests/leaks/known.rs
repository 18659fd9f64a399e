//! Leaks that are known, in files of suppressions.

use std::fs;

use crate::build::Planted;
use crate::support::Outcome;

/// Runs the planted program with such a file.
fn run(text: &str) -> (Outcome, serde_json::Value) {
    let planted = Planted::c("annotated.c", "-O1");
    let (rules, report) = (planted.join("known.supp"), planted.join("report.json"));
    fs::write(&rules, text).expect("a file");
    let options = [
        format!("--suppressions={}", rules.display()),
        format!("--report={}", report.display()),
        "--leaks-exitcode=9".to_owned(),
    ];
    let outcome = planted.run_by_command(&options).args(["leak", "no-region"]).outcome();
    let report = fs::read(report).expect("a report");
    (outcome, serde_json::from_slice(&report).expect("JSON"))
}

#[test]
fn what_is_suppressed_is_shown_and_does_not_count() {
    let (outcome, report) = run("leak:^leak$\n# owner: net-team\n# reason: see #12\nleak:region\n");
    outcome.expect_code(0);
    assert_eq!(report["leaked_blocks"], 0);
    let rules = report["suppressions"].as_array().expect("a list");
    let told: Vec<_> = rules
        .iter()
        .map(|rule| (rule["pattern"].as_str(), rule["blocks"].as_u64(), rule["bytes"].as_u64()))
        .collect();
    // The block of 70 bytes is held by what is suppressed, and its stack is suppressed, too.
    let expected = [
        (Some("^leak$"), Some(1), Some(1000)),
        (Some("region"), Some(2), Some(4166)),
        (Some("known_leak"), Some(0), Some(0)),
    ];
    assert_eq!(told, expected);
    assert_eq!(rules[1]["owner"], "net-team");
    assert_eq!(rules[1]["reason"], "see #12");
    assert_eq!(rules[1]["line"], 4);
}

/// The examples of `docs/suppressions.md` are read without a complaint.
#[test]
fn the_documented_suppressions_make_sense() {
    let document = include_str!("../../docs/suppressions.md");
    let example = document.split("```text\n").nth(1).and_then(|rest| rest.split("```").next());
    let (rules, problems) = heapsight::symbols::read_suppressions(example.expect("one").as_bytes());
    assert_eq!((rules, problems), (4, Vec::new()));
}

#[test]
fn what_has_expired_or_makes_no_sense_suppresses_nothing() {
    let (outcome, report) = run("# expires: 2020-02-29\nleak:region\n\nleek:region\nleak:^leak$\n");
    let outcome = outcome.expect_code(9);
    assert!(outcome.err().contains("known.supp:4: a suppression of 'leek' is not for leaks"));
    assert_eq!(report["leaked_blocks"], 2);
    assert_eq!(report["suppressions"][0]["has_expired"], true);
    assert_eq!(report["suppressions"][0]["blocks"], 0);
    assert_eq!(report["suppressions"][1]["bytes"], 1000);
}

#[test]
fn the_text_names_what_was_used_and_what_was_not() {
    let planted = Planted::c("annotated.c", "-O1");
    let rules = planted.join("known.supp");
    fs::write(&rules, "# owner: net-team\nleak:^leak$\n\nleak:nobody\n").expect("a file");
    let options = format!("leaks=on,suppressions={}", rules.display());
    let outcome = planted.run().arg("leak").preloaded(&options).outcome().expect_code(0);
    let (text, path) = (outcome.err(), rules.display());
    for part in [
        "no leaks: ".to_owned(),
        "suppressed: 1,000 bytes in 1 block\n".to_owned(),
        format!("by leak:^leak$ ({path}:2), net-team\n"),
        format!("the suppression leak:nobody ({path}:4) suppressed nothing\n"),
        "the suppression leak:known_leak (__lsan_default_suppressions:1) suppressed nothing\n"
            .to_owned(),
    ] {
        assert!(text.contains(&part), "{part:?} is not in:\n{text}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_said() {
    let planted = Planted::c("annotated.c", "-O1");
    let none = planted.join("none.supp");
    let refused = planted.run_by_command(&[format!("--suppressions={}", none.display())]);
    let outcome = refused.outcome().expect_code(2);
    assert!(outcome.err().contains("cannot read the suppressions in"), "{}", outcome.err());
    assert_eq!(outcome.out(), "");

    let options = format!("leaks=on,suppressions={}", none.display());
    let outcome = planted.run().preloaded(&options).outcome().expect_code(0);
    assert!(outcome.err().contains("none of them counts"), "{}", outcome.err());
    assert_eq!(outcome.out(), "end\n");
}
