//! The command line of `compare search`.

use std::path::PathBuf;

use crate::arguments::{positive, repository};

/// What `search --help` prints.
pub const USAGE: &str = "\
Measures what a search for leaks costs, beside LeakSanitizer's library in the same program: how long
one takes among very many blocks, and how long the program stands still for one from outside.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- search [OPTIONS]

  --library PATH  the shared object (default: target/release/libheapsight.so; the command
                  `heapsight` is taken from beside it)
  --blocks N      blocks to search (default: 10000000)
  --quick         a tenth of the blocks and of the memory
  --rounds N      rounds (default: 3)
  --out PATH      where the document goes besides standard output (docs/search.md is it)
  --gate          exit with 1 when a search is less than 5 times as fast as LeakSanitizer's, or the
                  program stands still for more than 50 ms
  --help          this text";

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The shared object.
    pub library: PathBuf,
    /// Blocks to search.
    pub blocks: u64,
    /// MiB that live while the program stands still.
    pub mebibytes: u64,
    /// Rounds.
    pub rounds: usize,
    /// Where the document goes.
    pub out: Option<PathBuf>,
    /// Whether broken limits fail the run.
    pub gate: bool,
}

impl Options {
    /// Parses the words after `search`; `None` asks for the usage text.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            library: repository().join("target/release/libheapsight.so"),
            blocks: 10_000_000,
            mebibytes: 1024,
            rounds: 3,
            out: None,
            gate: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = PathBuf::from(value()?),
                "--blocks" => parsed.blocks = positive(&word, &value()?)?,
                "--quick" => (parsed.blocks, parsed.mebibytes) = (1_000_000, 102),
                "--rounds" => parsed.rounds = positive(&word, &value()?)?,
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--gate" => parsed.gate = true,
                _ => {
                    let hint = "search --help lists the options";
                    return Err(format!("unknown option {word}; {hint}"));
                }
            }
        }
        Ok(Some(parsed))
    }
}
