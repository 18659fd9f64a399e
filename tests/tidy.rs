//! The house rules, as a test: floors import only downwards, files introduce themselves and stay
//! small, the data plane stays away from `std`, unsafe code says why.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, lowest first. A module may name only modules of lower floors.
const FLOORS: &[&[&str]] = &[
    &["base"],
    &["os", "mem", "format"],
    &["unwind", "harden"],
    &["heap"],
    &["arena", "pool", "stack"],
    &["track"],
    &["leak", "profile", "gc"],
    &["report"],
    &["runtime"],
    &["capi", "global", "simd", "testing"],
    // The list of public names.
    &["api", "ffi"],
];

/// Up to this floor nothing may allocate, panic or use `std`.
const DATA_PLANE: usize = 5;
const LINES_MAX: usize = 400;
const COLUMNS_MAX: usize = 100;

/// A source file of the library: where it is, its floor, its text.
struct Source {
    path: PathBuf,
    module: String,
    floor: usize,
    text: String,
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            if path.file_name().is_some_and(|name| name != "target") {
                rust_files(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["src", "preload", "interpose", "cli", "macros", "tests", "benches", "build.rs"] {
        rust_files(&root().join(folder), &mut found);
    }
    assert!(found.len() > 50, "the search has gone astray: {found:?}");
    found.sort();
    found
}

fn sources() -> Vec<Source> {
    let src = root().join("src");
    let mut found = Vec::new();
    rust_files(&src, &mut found);
    found
        .into_iter()
        .filter_map(|path| {
            let inside = path.strip_prefix(&src).ok()?;
            let first = inside.components().next()?.as_os_str().to_str()?;
            let module = first.trim_end_matches(".rs").to_owned();
            let floor = FLOORS.iter().position(|floor| floor.contains(&module.as_str()))?;
            let text = fs::read_to_string(&path).ok()?;
            Some(Source { path, module, floor, text })
        })
        .collect()
}

/// The product's part of a file: without its unit tests.
fn product(text: &str) -> &str {
    text.split("#[cfg(test)]").next().unwrap_or(text)
}

fn fail_if_any(problems: &[String]) {
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn floors_import_only_downwards() {
    let mut problems = Vec::new();
    for source in sources() {
        for line in product(&source.text).lines().filter(|line| !line.trim().starts_with("//")) {
            for (floor, modules) in FLOORS.iter().enumerate() {
                for module in modules.iter().filter(|module| **module != source.module) {
                    let names = line.contains(&format!("crate::{module}::"))
                        || line.contains(&format!("crate::{module};"));
                    if names && floor >= source.floor {
                        problems.push(format!(
                            "{}: floor {} names {module}, floor {floor}: {}",
                            source.path.display(),
                            source.floor,
                            line.trim()
                        ));
                    }
                }
            }
        }
    }
    fail_if_any(&problems);
}

#[test]
fn every_module_of_the_library_has_a_floor() {
    let known = |name: &str| FLOORS.iter().any(|floor| floor.contains(&name));
    let problems: Vec<_> = fs::read_dir(root().join("src"))
        .expect("src")
        .flatten()
        .map(|entry| entry.file_name().to_string_lossy().trim_end_matches(".rs").to_owned())
        .filter(|name| name != "lib" && name != "model" && !known(name))
        .collect();
    fail_if_any(&problems);
}

#[test]
fn the_data_plane_stays_away_from_std() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.floor <= DATA_PLANE) {
        // The mock machine is made of std.
        let is_test = source.path.iter().any(|part| part == "tests" || part == "tests.rs");
        if is_mock(&source.path) || is_test {
            continue;
        }
        if is_control_plane(&source.path) {
            continue;
        }
        for word in ["std::", "alloc::vec", "panic!(", ".unwrap()", ".expect(", "format!("] {
            if product(&source.text).contains(word) {
                problems.push(format!("{}: {word}", source.path.display()));
            }
        }
    }
    fail_if_any(&problems);
}

/// The ledger's reader is beside its layout, so that both change together, but it never runs in a
/// process that is tracked on behalf of it: viewers call it.
fn is_control_plane(path: &Path) -> bool {
    let inside = path.strip_prefix(root().join("src/format")).unwrap_or(Path::new(""));
    ["check.rs", "read", "request.rs", "snapshot.rs", "testing"]
        .iter()
        .any(|name| inside.starts_with(name))
}

/// The mock machine and its parts.
fn is_mock(path: &Path) -> bool {
    let os = root().join("src/os");
    path == os.join("mock.rs") || path.starts_with(os.join("mock"))
}

#[test]
fn statics_live_in_the_runtime() {
    let mut problems = Vec::new();
    for source in sources().iter().filter(|source| source.floor < 8) {
        if is_mock(&source.path) {
            continue;
        }
        for line in product(&source.text).lines() {
            let line = line.trim_start();
            if line.starts_with("static ") || line.starts_with("pub(crate) static ") {
                problems.push(format!("{}: {line}", source.path.display()));
            }
        }
    }
    fail_if_any(&problems);
}

#[test]
fn files_introduce_themselves_and_stay_small() {
    let mut problems = Vec::new();
    for path in all_files() {
        let text = fs::read_to_string(&path).expect("readable");
        if !text.starts_with("//!") {
            problems.push(format!("{}: does not open with //!", path.display()));
        }
        if text.lines().count() > LINES_MAX {
            problems.push(format!("{}: over {LINES_MAX} lines", path.display()));
        }
        for (number, line) in text.lines().enumerate() {
            if line.chars().count() > COLUMNS_MAX && !line.contains("http") {
                problems.push(format!(
                    "{}:{}: over {COLUMNS_MAX} columns",
                    path.display(),
                    number + 1
                ));
            }
        }
    }
    fail_if_any(&problems);
}

#[test]
fn unsafe_blocks_say_why() {
    let mut problems = Vec::new();
    for path in all_files() {
        let text = fs::read_to_string(&path).expect("readable");
        let lines: Vec<_> = text.lines().collect();
        for (number, line) in lines.iter().enumerate() {
            let code = line.split("//").next().unwrap_or("");
            let opens = code.contains("unsafe {") && !code.contains("fn ") && !code.contains('"');
            let near = &lines[number.saturating_sub(8)..=number];
            if opens && !near.iter().any(|line| line.contains("SAFETY")) {
                problems.push(format!("{}:{}: unsafe without SAFETY", path.display(), number + 1));
            }
        }
    }
    fail_if_any(&problems);
}

#[test]
fn nothing_is_promised_for_later() {
    let words = [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("unimple", "mented!")];
    let mut problems = Vec::new();
    for path in all_files() {
        let text = fs::read_to_string(&path).expect("readable");
        problems.extend(
            words
                .iter()
                .filter(|word| text.contains(**word))
                .map(|word| format!("{}: {word}", path.display())),
        );
    }
    fail_if_any(&problems);
}
