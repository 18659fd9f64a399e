//! Instruction counts by valgrind's callgrind, and reading its files.

use std::collections::{BTreeMap, HashMap};
use std::process::{Command, Stdio};

use crate::allocator::Allocator;
use crate::measure;
use crate::programs::Scratch;
use crate::row::Row;

/// Whether valgrind is there.
pub fn is_installed() -> bool {
    Command::new("valgrind").arg("--version").output().is_ok_and(|output| output.status.success())
}

/// What callgrind counted in one process.
#[derive(Debug, Default, PartialEq)]
pub struct Profile {
    /// Instructions in all.
    pub total: u64,
    /// Instructions by object and source file.
    pub files: BTreeMap<(String, String), u64>,
}

/// Runs a program once under callgrind.
pub fn run(row: &Row, setup: &Allocator, scratch: &Scratch) -> Result<Profile, String> {
    let fail = |what: String| format!("{} on {} under callgrind: {what}", row.name, setup.name);
    let path = scratch.path().join("callgrind.out");
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", path.display()));
    command.arg(&row.program).args(&row.arguments).envs(row.environment.iter().copied());
    measure::prepare(&mut command, setup);
    if let Some(input) = &row.input {
        let file = std::fs::File::open(input).map_err(|error| fail(error.to_string()))?;
        command.stdin(file);
    } else {
        command.stdin(Stdio::null());
    }
    let output = command.stdout(Stdio::null()).output().map_err(|error| fail(error.to_string()))?;
    let messages = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        let last = measure::last_line(&messages);
        return Err(fail(format!("ended with {}: {last}", output.status)));
    }
    measure::objection(&messages).map_err(&fail)?;
    let text = std::fs::read_to_string(&path).map_err(|error| fail(error.to_string()))?;
    parse(&text).ok_or_else(|| fail("its file has no total".to_string()))
}

/// Reads callgrind's format: names are numbered where they first appear, and the cost of a call
/// stands in the line after it, to be left to the function called.
fn parse(text: &str) -> Option<Profile> {
    let mut profile = Profile::default();
    let (mut files, mut objects) = (HashMap::new(), HashMap::new());
    // The file is the last that is not of Rust's own library, in whose midst that was put.
    let (mut file, mut object) = (String::new(), String::new());
    let mut is_call = false;
    for line in text.lines() {
        if let Some((key, value)) = line.split_once('=') {
            match key {
                "fl" | "fi" | "fe" => {
                    let next = name(value, &mut files);
                    if key == "fl" || !is_rusts(&next) {
                        file = next;
                    }
                }
                "ob" => object = name(value, &mut objects),
                // Numbers given in calls count as well.
                "cfl" | "cfi" => _ = name(value, &mut files),
                "cob" => _ = name(value, &mut objects),
                "calls" => is_call = true,
                _ => {}
            }
        } else if let Some(value) = line.strip_prefix("summary: ") {
            profile.total = profile.total.max(value.trim().parse().unwrap_or(0));
        } else if let Some(value) = line.strip_prefix("totals: ") {
            profile.total = value.trim().parse().ok()?;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let cost = line.split_whitespace().nth(1).and_then(|word| word.parse().ok());
            let cost: u64 = cost.unwrap_or(0);
            if !std::mem::take(&mut is_call) {
                *profile.files.entry((object.clone(), file.clone())).or_default() += cost;
            }
        }
    }
    (profile.total > 0).then_some(profile)
}

/// Whether a source file is of Rust's own library.
pub fn is_rusts(file: &str) -> bool {
    file.contains("/rustc/") || file.contains("/rustlib/")
}

/// `(7) src/a.rs` defines a number, `(7)` uses it.
fn name(value: &str, known: &mut HashMap<String, String>) -> String {
    match value.split_once(' ') {
        Some((number, name)) if number.starts_with('(') => {
            known.insert(number.to_string(), name.to_string());
            name.to_string()
        }
        _ if value.starts_with('(') => known.get(value).cloned().unwrap_or_default(),
        _ => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_go_to_the_file_they_are_in() {
        let text = "events: Ir\n\nob=(1) a.so\nfl=(1) x.c\nfn=(1) f\n3 10\nfi=(2) y.h\n+2 5\n\
                    fe=(1)\ncob=(2) b.so\ncfi=(3) z.c\ncfn=(2) g\ncalls=1 9\n* 100\n* 1\n\n\
                    ob=(2)\nfl=(3)\nfn=(2)\n9 100\n\ntotals: 116\n";
        let profile = parse(text).expect("a total");
        assert_eq!(profile.total, 116);
        let cost = |object: &str, file: &str| {
            profile.files.get(&(object.to_string(), file.to_string())).copied()
        };
        assert_eq!(cost("a.so", "x.c"), Some(11));
        assert_eq!(cost("a.so", "y.h"), Some(5));
        assert_eq!(cost("b.so", "z.c"), Some(100));
    }

    #[test]
    fn rusts_library_counts_for_the_file_it_is_put_in() {
        let text = "fl=(1) src/a.rs\nfn=(1) f\n1 1\nfi=(2) /rustc/0/core/num.rs\n5 2\n\
                    fi=(3) src/b.rs\n1 4\nfi=(2)\n9 8\ntotals: 15\n";
        let profile = parse(text).expect("a total");
        let costs: Vec<_> =
            profile.files.iter().map(|((_, file), cost)| (&**file, *cost)).collect();
        assert_eq!(costs, [("src/a.rs", 3), ("src/b.rs", 12)]);
    }

    #[test]
    fn a_file_without_a_total_is_refused() {
        assert_eq!(parse("events: Ir\n"), None);
    }
}
