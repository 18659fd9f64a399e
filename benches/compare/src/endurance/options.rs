//! The command line of `compare endurance`.

use std::path::PathBuf;

use crate::arguments::{positive, repository};

/// What `endurance --help` prints.
pub const USAGE: &str = "\
Runs a program of very many allocations and frees with full tracking and a ledger: is every one of
them counted, does the ledger keep its bound, and how fast does its report open?

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- endurance [OPTIONS]

  --library PATH  the shared object (default: target/release/libheapsight.so; the command
                  `heapsight` is taken from beside it)
  --events N      allocations and frees, together (default: 1000000000, some minutes)
  --quick         10000000 of them
  --threads N     threads that allocate (default: 2)
  --out PATH      where the document goes besides standard output (docs/endurance.md is it)
  --gate          exit with 1 when a block was miscounted, the ledger outgrew its bound, or its
                  report took more than 2 s
  --help          this text";

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The shared object.
    pub library: PathBuf,
    /// Allocations and frees.
    pub events: u64,
    /// Threads that allocate.
    pub threads: u64,
    /// Where the document goes.
    pub out: Option<PathBuf>,
    /// Whether broken limits fail the run.
    pub gate: bool,
}

impl Options {
    /// Parses the words after `endurance`; `None` asks for the usage text.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            library: repository().join("target/release/libheapsight.so"),
            events: 1_000_000_000,
            threads: 2,
            out: None,
            gate: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = PathBuf::from(value()?),
                "--events" => parsed.events = positive(&word, &value()?)?,
                "--quick" => parsed.events = 10_000_000,
                "--threads" => parsed.threads = positive(&word, &value()?)?,
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--gate" => parsed.gate = true,
                _ => {
                    let hint = "endurance --help lists the options";
                    return Err(format!("unknown option {word}; {hint}"));
                }
            }
        }
        Ok(Some(parsed))
    }
}
