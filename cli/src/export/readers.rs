//! The formats' own readers, where they are installed: do they find the sums that we wrote?
//!
//! `heaptrack_print` is looked for in the path; `go` too, or where `HEAPSIGHT_TEST_GO` says. Of the
//! npm package `speedscope` the schema is needed, at `HEAPSIGHT_TEST_SPEEDSCOPE_SCHEMA`, and
//! Python's `jsonschema`; of `@firefox-devtools/profiler-cli` the program, at
//! `HEAPSIGHT_TEST_PROFILER_CLI`.

use std::fs::File;
use std::path::PathBuf;
use std::process::Command;

use super::{Profile, firefox, heaptrack, pprof, speedscope};
use crate::view::metric::Metric;
use crate::view::sample;

/// Writes the sample in a format, runs its reader on the file, and takes what that prints. Nothing
/// if there is no such reader.
fn read_back(
    name: &str,
    write: impl FnOnce(&Profile<'_>, &mut File),
    reader: impl FnOnce(&PathBuf) -> Command,
) -> Option<String> {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join(name);
    let (snapshot, names) = (sample::snapshot(), sample::names());
    let mut file = File::create(&path).expect("created");
    write(&Profile::of(&snapshot, &names), &mut file);
    let mut command = reader(&path);
    let Ok(output) = command.env("HOME", folder.path()).output() else {
        eprintln!("skipped: {:?} is not installed", command.get_program());
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
    assert!(output.status.success(), "{stdout}{stderr}");
    Some(stdout + &stderr)
}

#[test]
fn heaptrack_print_finds_the_same_sums() {
    let write = |profile: &Profile<'_>, file: &mut File| {
        heaptrack::write(profile, file).expect("written");
    };
    let reader = |path: &PathBuf| {
        let mut command = Command::new("heaptrack_print");
        command.arg("--file").arg(path).args(["--print-leaks", "1"]);
        command
    };
    let Some(text) = read_back("shop.heaptrack.gz", write, reader) else { return };
    for expected in [
        "Debuggee command was: ./shop --open a b",
        "total runtime: 2.30s.",
        "calls to allocation functions: 1114",
        "temporary memory allocations: 275",
        "peak heap memory consumption: 561.49K",
        "peak RSS (including heaptrack overhead): 3.15M",
        "total memory leaked: 5.30K",
        "add_item",
        "at src/shop.c:14",
    ] {
        assert!(text.contains(expected), "{expected} is missing from:\n{text}");
    }
    assert!(!text.contains("failed to parse") && !text.contains("out of bounds"), "{text}");
}

#[test]
fn go_tool_pprof_finds_the_same_sums() {
    let go = std::env::var_os("HEAPSIGHT_TEST_GO").unwrap_or_else(|| "go".into());
    let top = |kind: &str| {
        let write = |profile: &Profile<'_>, file: &mut File| {
            pprof::write(profile, file).expect("written");
        };
        let reader = |path: &PathBuf| {
            let mut command = Command::new(&go);
            command
                .args(["tool", "pprof", "-top", "-lines", "-nodefraction=0", "-sample_index", kind])
                .arg(path);
            command
        };
        read_back("shop.pb.gz", write, reader)
    };
    let Some(text) = top("inuse_space") else { return };
    for expected in ["Type: inuse_space", "5300B, 100% of 5300B total", "src/shop.c:14 (inline)"] {
        assert!(text.contains(expected), "{expected} is missing from:\n{text}");
    }
    let text = top("alloc_objects").unwrap_or_default();
    assert!(text.contains("1114, 100% of 1114 total"), "{text}");
}

#[test]
fn speedscope_s_schema_accepts_the_file() {
    let Some(schema) = std::env::var_os("HEAPSIGHT_TEST_SPEEDSCOPE_SCHEMA") else {
        return eprintln!("skipped: HEAPSIGHT_TEST_SPEEDSCOPE_SCHEMA is not set");
    };
    let write = |profile: &Profile<'_>, file: &mut File| {
        speedscope::write(profile, Metric::Peak, file).expect("written");
    };
    let reader = |path: &PathBuf| {
        let script = "import json, jsonschema, sys\n\
                      file, schema = (json.load(open(path)) for path in sys.argv[1:])\n\
                      jsonschema.validate(file, schema)";
        let mut command = Command::new("python3");
        command.args(["-c", script]).arg(path).arg(schema);
        command
    };
    read_back("shop.speedscope.json", write, reader);
}

#[test]
fn the_firefox_profiler_finds_the_same_sums() {
    let Some(program) = std::env::var_os("HEAPSIGHT_TEST_PROFILER_CLI") else {
        return eprintln!("skipped: HEAPSIGHT_TEST_PROFILER_CLI is not set");
    };
    let write = |profile: &Profile<'_>, file: &mut File| {
        firefox::write(profile, file).expect("written");
    };
    let reader = |path: &PathBuf| {
        // The program stays in memory between its commands.
        let script = "trap '\"$0\" stop --all' EXIT\n\
                      \"$0\" load \"$1\" && \"$0\" profile info && \"$0\" counter list || exit\n\
                      for blocks in native-allocations native-retained-allocations; do\n\
                      \"$0\" strategy $blocks && \"$0\" thread functions || exit\n\
                      done";
        let mut command = Command::new("sh");
        command.args(["-c", script]).arg(program).arg(path);
        command
    };
    let Some(text) = read_back("shop.json", write, reader) else { return };
    for expected in [
        "t-0: shop [tid 31137]",
        "Full: 2.301s",
        "c-0: Memory (Memory) [p-0 shop, pid 31137]",
        "add_item - self: 1.05MB (94.2%), total: 1.05MB (94.2%)",
        "add_item - self: 5,300B (100.0%), total: 5,300B (100.0%)",
    ] {
        assert!(text.contains(expected), "{expected} is missing from:\n{text}");
    }
}
