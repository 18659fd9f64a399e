//! The command line of `compare tracking`.

use std::path::PathBuf;

use crate::arguments::{positive, repository};

/// What `tracking --help` prints.
pub const USAGE: &str = "\
Measures what tracking costs: whole programs on glibc, on Heapsight in each of its modes, under
heaptrack, jemalloc's profiler and dhat-rs, in one run.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- tracking [OPTIONS]

  --library PATH   the shared object to measure (default: target/release/libheapsight.so)
  --jemalloc PATH  a jemalloc built with its profiler (default: the system's libjemalloc.so.2)
  --only NAME      only the programs whose name contains NAME, and neither depths nor stages;
                   may be repeated
  --setups LIST    only these besides glibc, separated by commas:
                   off,stats,sample,full,ledger,heaptrack,jemalloc,dhat
  --no-instructions
                   no instruction counts, which take valgrind's time
  --rounds N       rounds per program (default: 5, with --quick 3; 3 for the profilers of
                   others)
  --quick          programs a fifth as long: a look, not a measurement
  --out PATH       where the tables go (default for a full run: docs/tracking.md; a run with
                   --quick, --only, --setups or --no-instructions only prints them)
  --json PATH      every figure as JSON
  --gate           exit with 1 when full tracking takes more than 1.5 times glibc's time or peak
                   memory in the mean, or 2.5 times its time anywhere, or sampling more than
                   1.01 times the instructions of no tracking
  --help           this text";

const QUICK_PERCENT: u32 = 20;
const FULL_PERCENT: u32 = 100;

/// Under callgrind, and under slow peers, programs are this much shorter.
const SHORTENED: u32 = 5;

/// Everything the command line decides.
#[derive(Clone, Debug, PartialEq)]
pub struct Options {
    /// The shared object to measure.
    pub library: PathBuf,
    /// The jemalloc to measure, if not the system's.
    pub jemalloc: Option<PathBuf>,
    /// Parts of program names; empty selects every program.
    pub only: Vec<String>,
    /// Names of setups; empty selects every setup.
    pub setups: Vec<String>,
    /// Whether callgrind counts instructions.
    pub instructions: bool,
    /// Rounds per program.
    pub rounds: usize,
    /// Length of each program in percent.
    pub percent: u32,
    /// Where JSON goes, if anywhere.
    pub json: Option<PathBuf>,
    /// Whether exceeded limits fail the run.
    pub gate: bool,
    out: Option<PathBuf>,
}

impl Options {
    /// Parses the words after `tracking`; `None` asks for the usage text.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            library: repository().join("target/release/libheapsight.so"),
            jemalloc: None,
            only: Vec::new(),
            setups: Vec::new(),
            instructions: true,
            rounds: 0,
            percent: FULL_PERCENT,
            json: None,
            gate: false,
            out: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = PathBuf::from(value()?),
                "--jemalloc" => parsed.jemalloc = Some(PathBuf::from(value()?)),
                "--only" => parsed.only.push(value()?),
                "--setups" => parsed.setups = setups(&value()?)?,
                "--no-instructions" => parsed.instructions = false,
                "--rounds" => parsed.rounds = positive(&word, &value()?)?,
                "--quick" => parsed.percent = QUICK_PERCENT,
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--json" => parsed.json = Some(PathBuf::from(value()?)),
                "--gate" => parsed.gate = true,
                _ => {
                    let hint = "tracking --help lists the options";
                    return Err(format!("unknown option {word}; {hint}"));
                }
            }
        }
        if parsed.rounds == 0 {
            parsed.rounds = if parsed.is_quick() { 3 } else { 5 };
        }
        parsed.checked().map(Some)
    }

    /// Refuses a gate that lacks what it compares.
    fn checked(self) -> Result<Self, String> {
        let lacks = |name: &str| !self.setups.is_empty() && !self.setups.iter().any(|s| s == name);
        match self.gate && (lacks("full") || lacks("off") || lacks("sample")) {
            true => Err("--gate needs the setups off, sample and full".to_string()),
            false => Ok(self),
        }
    }

    /// Length of the shorter programs, for callgrind and slow peers, in percent.
    pub fn shortened(&self) -> u32 {
        (self.percent / SHORTENED).max(1)
    }

    /// Whether programs are shortened.
    pub fn is_quick(&self) -> bool {
        self.percent < FULL_PERCENT
    }

    /// Where the tables go besides standard output; a partial run must be told.
    pub fn document(&self) -> Option<PathBuf> {
        let is_partial = self.is_quick()
            || !self.only.is_empty()
            || !self.setups.is_empty()
            || !self.instructions;
        match &self.out {
            Some(path) => Some(path.clone()),
            None if is_partial => None,
            None => Some(repository().join("docs/tracking.md")),
        }
    }
}

fn setups(list: &str) -> Result<Vec<String>, String> {
    let known = super::setups::NAMES;
    let asked: Vec<&str> = list.split(',').filter(|name| !name.is_empty()).collect();
    match asked.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(format!("no setup is named {name}; there are {}", known.join(", "))),
        None => Ok(asked.iter().map(ToString::to_string).collect()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Options, String> {
        let words = line.split_whitespace().map(str::to_string);
        Options::parse(words).map(|parsed| parsed.expect("not --help"))
    }

    #[test]
    fn only_a_full_run_writes_the_published_tables() {
        let full = parse("--gate").expect("valid").document().expect("a path");
        assert!(full.ends_with("docs/tracking.md"));
        for line in ["--quick", "--only json", "--setups full", "--no-instructions"] {
            assert_eq!(parse(line).expect(line).document(), None, "{line}");
        }
    }

    #[test]
    fn a_shortened_run_is_never_empty() {
        let quick = parse("--quick").expect("valid");
        assert_eq!(quick.shortened(), 4);
        assert_eq!(Options { percent: 1, ..quick }.shortened(), 1);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("--setups fast", "no setup is named fast"),
            ("--gate --setups off,full", "--gate needs"),
            ("--rounds no", "above zero"),
            ("--check 1.3", "unknown option --check"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
        }
    }
}
