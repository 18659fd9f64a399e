//! The report as SARIF 2.1.0 (OASIS, "Static Analysis Results Interchange Format"), which editors
//! and code hosts show beside the lines concerned: a result for each group of leaked blocks.
//!
//! Sources under the working directory are named relative to it, as `%SRCROOT%`: a host that has
//! them elsewhere finds them.

use super::model::{Frame, Leak, LeakClass, LeakReport, MemoryStats, Suppression, count};
use super::modules;
use super::text::{class, held_by, own_frame, own_place};
use serde::Serialize;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::string::String;
use std::vec::Vec;
use std::{env, format, vec};

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const ROOT: &str = "%SRCROOT%";

#[derive(Serialize)]
struct Log {
    #[serde(rename = "$schema")]
    schema: &'static str,
    version: &'static str,
    runs: [Run; 1],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Run {
    tool: Tool,
    invocations: [Invocation; 1],
    original_uri_base_ids: serde_json::Value,
    column_kind: &'static str,
    results: Vec<Finding>,
}

#[derive(Serialize)]
struct Tool {
    driver: Driver,
}

#[derive(Serialize)]
struct Driver {
    name: &'static str,
    version: &'static str,
    rules: Vec<Rule>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Rule {
    id: &'static str,
    name: &'static str,
    short_description: Message,
    full_description: Message,
    default_configuration: Configuration,
}

#[derive(Serialize)]
struct Configuration {
    level: &'static str,
}

#[derive(Serialize)]
struct Message {
    text: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Invocation {
    execution_successful: bool,
    process_id: u32,
    executable_location: Artifact,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_execution_notifications: Vec<Notification>,
}

#[derive(Serialize)]
struct Notification {
    level: &'static str,
    message: Message,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Finding {
    rule_id: &'static str,
    rule_index: usize,
    level: &'static str,
    message: Message,
    locations: Vec<Location>,
    stacks: [Stack; 1],
    partial_fingerprints: serde_json::Value,
    properties: Properties,
}

#[derive(Serialize)]
struct Properties {
    class: LeakClass,
    blocks: u64,
    bytes: u64,
    interior: bool,
}

#[derive(Serialize)]
struct Stack {
    message: Message,
    frames: Vec<StackFrame>,
}

#[derive(Serialize)]
struct StackFrame {
    location: Location,
    #[serde(skip_serializing_if = "Option::is_none")]
    module: Option<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Location {
    #[serde(skip_serializing_if = "Option::is_none")]
    physical_location: Option<Physical>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    logical_locations: Vec<Logical>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Physical {
    artifact_location: Artifact,
    #[serde(skip_serializing_if = "Option::is_none")]
    region: Option<Region>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Artifact {
    uri: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    uri_base_id: Option<&'static str>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Region {
    start_line: u32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Logical {
    fully_qualified_name: String,
    kind: &'static str,
}

/// Writes the report as one SARIF log.
pub(crate) fn write_sarif(report: &LeakReport, mut sink: &mut dyn Write) -> io::Result<()> {
    let root = env::current_dir().unwrap_or_default();
    let log = Log { schema: SCHEMA, version: "2.1.0", runs: [run(report, &root)] };
    serde_json::to_writer_pretty(&mut sink, &log)?;
    writeln!(sink)
}

/// Writes a log without a result: leaks were not looked for.
pub(crate) fn write_nothing(sink: &mut dyn Write) -> io::Result<()> {
    let report = LeakReport {
        program: modules::this_program(),
        pid: std::process::id(),
        stats: MemoryStats::default(),
        leaks: Vec::new(),
        suppressions: Vec::new(),
        notes: vec!["leaks were not looked for: leaks=off".into()],
        overhead_bytes: 0,
        pause_ns: None,
        asked: None,
    };
    write_sarif(&report, sink)
}

fn run(report: &LeakReport, root: &Path) -> Run {
    let notes = report.notes.iter().cloned();
    let suppressed = report.suppressions.iter().filter(|rule| rule.blocks > 0).map(suppressed);
    let notification = |text| Notification { level: "note", message: Message { text } };
    Run {
        tool: Tool {
            driver: Driver {
                name: "Heapsight",
                version: env!("CARGO_PKG_VERSION"),
                rules: RULES.iter().map(rule).collect(),
            },
        },
        invocations: [Invocation {
            execution_successful: true,
            process_id: report.pid,
            executable_location: artifact(&report.program, Path::new("")),
            tool_execution_notifications: notes.chain(suppressed).map(notification).collect(),
        }],
        original_uri_base_ids: serde_json::json!({
            ROOT: { "uri": format!("{}/", uri(&root.to_string_lossy()).trim_end_matches('/')) }
        }),
        column_kind: "unicodeCodePoints",
        results: report.leaked().map(|leak| finding(leak, root)).collect(),
    }
}

fn suppressed(rule: &Suppression) -> String {
    let size = format!("{} in {}", count(rule.bytes, "byte"), count(rule.blocks, "block"));
    format!("{size} suppressed by leak:{} ({}:{})", rule.pattern, rule.origin, rule.line)
}

/// A class of leaks: its id, what it is called, its level, and what it means.
const RULES: [(LeakClass, &str, &str, &str, &str); 4] = [
    (LeakClass::Lost, "lost", "LostBlock", "error", "Nothing points to the block any more."),
    (
        LeakClass::Cycle,
        "cycle",
        "LostCycle",
        "error",
        "The block belongs to a ring of blocks that point to each other, and nothing else does.",
    ),
    (
        LeakClass::Indirect,
        "indirect",
        "IndirectlyLostBlock",
        "warning",
        "Only lost blocks lead to the block: it is freed when they are, by whoever frees them.",
    ),
    (
        LeakClass::Possible,
        "possible",
        "PossiblyLostBlock",
        "warning",
        "Only pointers into the middle of blocks lead to the block.",
    ),
];

fn rule(
    (_, id, name, level, meaning): &(LeakClass, &'static str, &'static str, &'static str, &str),
) -> Rule {
    let text = |text: &str| Message { text: text.into() };
    Rule {
        id,
        name,
        short_description: text(meaning),
        full_description: text(&format!("Memory that is allocated and never freed. {meaning}")),
        default_configuration: Configuration { level },
    }
}

fn finding(leak: &Leak, root: &Path) -> Finding {
    let rule_index = RULES.iter().position(|rule| rule.0 == leak.class).unwrap_or(0);
    let (_, rule_id, _, level, _) = RULES[rule_index];
    let size = format!("{} in {}", count(leak.bytes, "byte"), count(leak.blocks, "block"));
    let mut text = format!("{size} {}, allocated by {}", class(leak), own_place(&leak.frames));
    if let Some(holder) = &leak.held_by {
        text.push_str(&format!("; held by {}", held_by(holder)));
    }
    let frame = |frame: &Frame| StackFrame {
        location: location(frame, root),
        module: frame.module.clone(),
    };
    Finding {
        rule_id,
        rule_index,
        level,
        message: Message { text },
        locations: own_frame(&leak.frames).map(|frame| location(frame, root)).into_iter().collect(),
        stacks: [Stack {
            message: Message { text: "allocated here".into() },
            frames: leak.frames.iter().map(frame).collect(),
        }],
        partial_fingerprints: serde_json::json!({ "callStack/v1": fingerprint(&leak.frames) }),
        properties: Properties {
            class: leak.class,
            blocks: leak.blocks,
            bytes: leak.bytes,
            interior: leak.interior,
        },
    }
}

/// The same for the same functions, whatever their lines have become.
fn fingerprint(frames: &[Frame]) -> String {
    let mut hasher = DefaultHasher::new();
    for frame in frames {
        frame.function.as_deref().unwrap_or_default().hash(&mut hasher);
    }
    format!("{:016x}", hasher.finish())
}

fn location(frame: &Frame, root: &Path) -> Location {
    let name = |name: &String| Logical { fully_qualified_name: name.clone(), kind: "function" };
    Location {
        physical_location: frame.file.as_ref().map(|file| Physical {
            artifact_location: artifact(file, root),
            // Compilers say 0 where they know of no line; SARIF begins at 1.
            region: frame.line.filter(|line| *line > 0).map(|start_line| Region { start_line }),
        }),
        logical_locations: frame.function.iter().map(name).collect(),
    }
}

/// A file, relative to `root` if it lies there; an empty root holds nothing.
fn artifact(file: &str, root: &Path) -> Artifact {
    let path = PathBuf::from(file);
    let inside = (!root.as_os_str().is_empty()).then(|| path.strip_prefix(root).ok()).flatten();
    match inside {
        Some(inside) => {
            Artifact { uri: encoded(&inside.to_string_lossy()), uri_base_id: Some(ROOT) }
        }
        None if path.is_absolute() => Artifact { uri: uri(file), uri_base_id: None },
        None => Artifact { uri: encoded(file), uri_base_id: Some(ROOT) },
    }
}

fn uri(path: &str) -> String {
    format!("file://{}", encoded(path))
}

/// A path with the bytes escaped that RFC 3986 does not allow in one.
fn encoded(path: &str) -> String {
    let mut text = String::new();
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                text.push(char::from(byte));
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::text::tests::sample;
    use serde_json::{Value, json};

    fn sarif_of(report: &LeakReport) -> Value {
        let mut sink = vec![];
        write_sarif(report, &mut sink).expect("a vector takes everything");
        serde_json::from_slice(&sink).expect("JSON")
    }

    #[test]
    fn a_leak_is_a_result_at_the_line_of_the_program() {
        let log = sarif_of(&sample());
        assert_eq!(log["version"], "2.1.0");
        let result = &log["runs"][0]["results"][0];
        assert_eq!((&result["ruleId"], &result["level"]), (&json!("lost"), &json!("error")));
        let rule = &log["runs"][0]["tool"]["driver"]["rules"][0];
        assert_eq!((&rule["id"], &result["ruleIndex"]), (&json!("lost"), &json!(0)));
        let message = "3,000 bytes in 2 blocks lost, allocated by add (shop.c:12)";
        assert_eq!(result["message"]["text"], message);
        let place = &result["locations"][0]["physicalLocation"];
        assert_eq!(place["artifactLocation"], json!({"uri": "src/shop.c", "uriBaseId": ROOT}));
        assert_eq!(place["region"]["startLine"], 12);
        assert_eq!(result["stacks"][0]["frames"].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn what_is_no_leak_is_no_result() {
        let mut report = sample();
        report.leaks[0].class = LeakClass::Reachable;
        assert_eq!(sarif_of(&report)["runs"][0]["results"], json!([]));
    }

    #[test]
    fn files_are_relative_to_the_root_that_holds_them() {
        let here = artifact("/work/a b/x.c", Path::new("/work"));
        assert_eq!((here.uri.as_str(), here.uri_base_id), ("a%20b/x.c", Some(ROOT)));
        let there = artifact("/usr/src/x%.c", Path::new("/work"));
        assert_eq!((there.uri.as_str(), there.uri_base_id), ("file:///usr/src/x%25.c", None));
    }

    #[test]
    fn lines_may_move_and_the_fingerprint_stays() {
        let mut moved = sample();
        moved.leaks[0].frames[1].line = Some(99);
        let print = |report: &LeakReport| {
            sarif_of(report)["runs"][0]["results"][0]["partialFingerprints"].clone()
        };
        assert_eq!(print(&sample()), print(&moved));
        moved.leaks[0].frames[1].function = Some("remove".into());
        assert_ne!(print(&sample()), print(&moved));
    }
}
