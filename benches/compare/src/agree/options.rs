//! The command line of `compare agree`.

use std::path::PathBuf;

use crate::arguments::{positive, repository};

/// What `agree --help` prints.
pub const USAGE: &str = "\
Records programs with heaptrack and with Heapsight's full tracking, and compares what they counted:
allocations, bytes, peak, what was never freed, and each call stack.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- agree [OPTIONS]

  --library PATH  the shared object to compare (default: target/release/libheapsight.so; the
                  command `heapsight` is taken from beside it)
  --only NAME     only the programs of `tracking` whose name contains NAME; may be repeated
                  (default: tiny, maps, json, trees, server and sqlite3; what cc1, perl and
                  python3 allocate depends on addresses and on the environment)
  --percent N     length of the programs (default: 2; heaptrack's files grow with it)
  --out PATH      where the document goes besides standard output (docs/agreement.md is it)
  --gate          exit with 1 when a difference has no explanation
  --help          this text";

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The shared object.
    pub library: PathBuf,
    /// Parts of program names; empty selects every program.
    pub only: Vec<String>,
    /// Length of the programs.
    pub percent: u32,
    /// Where the document goes.
    pub out: Option<PathBuf>,
    /// Whether unexplained differences fail the run.
    pub gate: bool,
}

impl Options {
    /// Parses the words after `agree`; `None` asks for the usage text.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            library: repository().join("target/release/libheapsight.so"),
            only: Vec::new(),
            percent: 2,
            out: None,
            gate: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = PathBuf::from(value()?),
                "--only" => parsed.only.push(value()?),
                "--percent" => parsed.percent = positive(&word, &value()?)?,
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--gate" => parsed.gate = true,
                _ => return Err(format!("unknown option {word}; agree --help lists the options")),
            }
        }
        Ok(Some(parsed))
    }
}
