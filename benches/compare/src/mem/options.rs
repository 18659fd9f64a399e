//! The command line of `compare mem`.

use std::path::PathBuf;

use heapsight::options::Simd;

use crate::arguments::{positive, repository};

/// What `mem --help` prints.
pub const USAGE: &str = "\
Measures the memory routines beside glibc's, from a byte to 128 MiB, and under whole programs.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- mem [OPTIONS]

  --library PATH  the shared object that interposes (default: target/release/libheapsight_mem.so)
  --only PART     one part: copy, fill, compare, find, verify, edge, inline, fleet, engine,
                  tuned, programs
  --largest MIB   the largest size (default: 128)
  --rounds N      rounds (default: 15)
  --passes N      passes over all cells, of which each has the middle (default: 3)
  --simd WORD     as the option of that name: avx512, avx2, sse2 or off
  --quick         one pass of 5 rounds, 16 MiB at most
  --out PATH      where the document goes besides standard output (docs/simd-performance.md is it)
  --gate          exit with 1 when a gate is not kept
  --help          this text";

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Options {
    /// The shared object that interposes.
    pub library: PathBuf,
    /// The part that is measured; empty: all.
    pub only: String,
    /// Bytes of the largest size.
    pub largest: usize,
    /// Rounds.
    pub rounds: usize,
    /// How often all cells are measured.
    pub passes: usize,
    /// Whose routines; `None`: as the library chooses.
    pub simd: Option<Simd>,
    /// Where the document goes.
    pub out: Option<PathBuf>,
    /// Whether broken gates fail the run.
    pub gate: bool,
    /// This process measures its first call, and nothing else.
    pub is_first_call: bool,
    /// This process measures beside a glibc that its environment has tuned.
    pub is_tuned: bool,
}

impl Options {
    /// Parses the words after `mem`; `None` asks for the usage text.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut parsed = Self {
            library: repository().join("target/release/libheapsight_mem.so"),
            only: String::new(),
            largest: 128 << 20,
            rounds: 15,
            passes: 3,
            simd: None,
            out: None,
            gate: false,
            is_first_call: false,
            is_tuned: false,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = PathBuf::from(value()?),
                "--only" => parsed.only = value()?,
                "--largest" => parsed.largest = positive::<usize>(&word, &value()?)? << 20,
                "--rounds" => parsed.rounds = positive(&word, &value()?)?,
                "--passes" => parsed.passes = positive(&word, &value()?)?,
                "--simd" => parsed.simd = Some(simd(&value()?)?),
                "--quick" => {
                    (parsed.rounds, parsed.passes, parsed.largest) = (5, 1, 16 << 20);
                }
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--gate" => parsed.gate = true,
                "--first-call" => parsed.is_first_call = true,
                "--tuned" => parsed.is_tuned = true,
                _ => {
                    let hint = "mem --help lists the options";
                    return Err(format!("unknown option {word}; {hint}"));
                }
            }
        }
        Ok(Some(parsed))
    }
}

fn simd(word: &str) -> Result<Simd, String> {
    match word {
        "avx512" => Ok(Simd::Avx512),
        "avx2" => Ok(Simd::Avx2),
        "sse2" => Ok(Simd::Sse2),
        "off" => Ok(Simd::Off),
        _ => Err(format!("--simd {word}: use avx512, avx2, sse2 or off")),
    }
}
