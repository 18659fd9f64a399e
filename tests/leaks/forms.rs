//! The forms of a report, as programs read them.

use std::fs;

use serde_json::Value;

use crate::build::Planted;

/// What the planted program's report says; `name` of its file, and more options.
fn report(name: &str, options: &[&str]) -> String {
    let planted = Planted::c("annotated.c", "-O1");
    let path = planted.join(name);
    let mut all = vec![format!("--report={}", path.display()), "--leaks-exitcode=9".to_owned()];
    all.extend(options.iter().map(|option| (*option).to_owned()));
    planted.run_by_command(&all).args(["leak", "no-region"]).outcome().expect_code(9);
    fs::read_to_string(path).expect("a report")
}

#[test]
fn sarif_has_a_result_for_every_leak_at_its_line() {
    let log: Value = serde_json::from_str(&report("leaks.sarif", &[])).expect("JSON");
    let json: Value = serde_json::from_str(&report("leaks.json", &[])).expect("JSON");
    assert_eq!(log["version"], "2.1.0");
    let results = log["runs"][0]["results"].as_array().expect("a list");
    let leaks = json["leaks"].as_array().expect("a list");
    let leaked: Vec<_> = leaks.iter().filter(|leak| leak["class"] != "reachable").collect();
    assert_eq!(results.len(), leaked.len());
    for (result, leak) in results.iter().zip(leaked) {
        assert_eq!(result["ruleId"], leak["class"]);
        assert_eq!(result["properties"]["bytes"], leak["bytes"]);
        let frames = result["stacks"][0]["frames"].as_array().expect("a list");
        assert_eq!(frames.len(), leak["frames"].as_array().expect("a list").len());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().expect("a source file");
        assert!(uri.ends_with("tests/leaks/planted/annotated.c"), "{uri}");
        assert!(place["region"]["startLine"].as_u64() > Some(0), "{place}");
    }
}

#[test]
fn markdown_has_a_row_and_a_stack_for_every_leak() {
    let text = report("leaks.md", &[]);
    assert!(text.starts_with("### ❌ "), "{text}");
    let rows = text.lines().filter(|line| line.starts_with("| lost")).count();
    assert!(rows > 0, "{text}");
    assert_eq!(text.matches("<details>").count(), rows, "{text}");
    assert_eq!(text.matches("</details>").count(), rows, "{text}");
}

#[test]
fn the_option_has_the_last_word() {
    let text = report("leaks.json", &["--report-format=lsan"]);
    assert!(text.contains("ERROR: LeakSanitizer: detected memory leaks"), "{text}");
    assert!(text.contains("SUMMARY: LeakSanitizer: "), "{text}");
    let text = report("leaks.txt", &["--report-format=json"]);
    serde_json::from_str::<Value>(&text).expect("JSON");
    let text = report("leaks.json", &["--report-format=text"]);
    assert!(text.starts_with("heapsight: "), "{text}");
}
