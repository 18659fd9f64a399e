//! The table of what was found, and by which means, in `docs/safety.md`.

use super::corpus::{Case, Language, Mode};
use super::support;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::{env, fs};

/// How a mistake was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Result {
    AtOnce,
    WhenFreed,
    ByCheck,
    Missed,
}

impl Result {
    pub(crate) fn of(is_named: bool, message: &str) -> Self {
        let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
        match is_named {
            false => Self::Missed,
            true if says(&["written here:", "read here:", "  here:"]) => Self::AtOnce,
            true if says(&["by a check", "found in this call:\n      #0  exit"]) => Self::ByCheck,
            // A bad free is its own place.
            true if !says(&["found in this call"]) => Self::AtOnce,
            true if says(&["write after free"]) => Self::ByCheck,
            true => Self::WhenFreed,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::AtOnce => "at once",
            Self::WhenFreed => "at the free",
            Self::ByCheck => "by a check",
            Self::Missed => "missed",
        }
    }
}

/// How often there was each result, by mode.
type Row = BTreeMap<Mode, BTreeMap<Result, usize>>;

/// Results by language, kind and mode. See the module.
#[derive(Debug, Default)]
pub(crate) struct Table {
    rows: BTreeMap<(Language, &'static str), Row>,
}

const BEGIN: &str = "<!-- corpus: begin -->\n";
const END: &str = "<!-- corpus: end -->\n";

impl Table {
    pub(crate) fn add(&mut self, case: &Case, mode: Mode, result: Result) {
        if !case.kind.is_right() {
            let row = self.rows.entry((case.kind.language, case.kind.name)).or_default();
            *row.entry(mode).or_default().entry(result).or_default() += 1;
        }
    }

    fn text(&self) -> String {
        let mut text = String::from(
            "| mistake | `basic` | `full` | `guard` | `guard_side=left` |\n|---|---|---|---|---|\n",
        );
        for ((language, kind), modes) in &self.rows {
            write!(text, "| {language}: {kind} ").expect("a string");
            for mode in Mode::ALL {
                let results = modes.get(&mode).into_iter().flatten();
                let cells: Vec<_> =
                    results.map(|(result, count)| format!("{count} {}", result.name())).collect();
                write!(text, "| {} ", cells.join(", ")).expect("a string");
            }
            text.push_str("|\n");
        }
        text
    }

    pub(crate) fn compare_with_docs(&self) {
        let path = support::source_root().join("docs/safety.md");
        let page = fs::read_to_string(&path).expect("docs/safety.md");
        let (before, rest) = page.split_once(BEGIN).expect("where the table begins");
        let (written, after) = rest.split_once(END).expect("where the table ends");
        let text = self.text();
        if env::var_os("HEAPSIGHT_WRITE_DOCS").is_some() {
            fs::write(&path, format!("{before}{BEGIN}{text}{END}{after}")).expect("written");
        } else {
            assert_eq!(
                written, text,
                "docs/safety.md differs from what was found: write it again with \
                 'HEAPSIGHT_WRITE_DOCS=1 cargo test --test safety'"
            );
        }
    }
}
