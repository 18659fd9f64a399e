//! The command line of `compare leaks`.

use std::path::PathBuf;

use crate::arguments::repository;

/// What `leaks --help` prints.
pub const USAGE: &str = "\
Looks for leaks in programs of this machine with Heapsight, with LeakSanitizer's library preloaded,
and with valgrind, and compares what each calls lost.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- leaks [OPTIONS]

  --library PATH  the shared object to compare (default: target/release/libheapsight.so)
  --only NAME     only the programs whose name contains NAME; may be repeated
  --out PATH      where the document goes besides standard output (docs/leaks-agreement.md is it)
  --gate          exit with 1 when a difference has no explanation
  --help          this text";

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The shared object.
    pub library: PathBuf,
    /// Parts of program names; empty selects every program.
    pub only: Vec<String>,
    /// Where the document goes besides standard output.
    pub out: Option<PathBuf>,
    /// Whether a difference without an explanation is a failure.
    pub gate: bool,
}

impl Options {
    /// Reads the words; `None` when help was asked for.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let library = repository().join("target/release/libheapsight.so");
        let mut options = Self { library, only: Vec::new(), out: None, gate: false };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--library" => options.library = PathBuf::from(value()?),
                "--only" => options.only.push(value()?),
                "--out" => options.out = Some(PathBuf::from(value()?)),
                "--gate" => options.gate = true,
                "--help" => return Ok(None),
                _ => return Err(format!("unknown option {word}; --help lists the options")),
            }
        }
        Ok(Some(options))
    }
}
