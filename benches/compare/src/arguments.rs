//! The command line.

use std::path::{Path, PathBuf};

/// What `--help` prints.
pub const USAGE: &str = "\
Measures Heapsight beside glibc, mimalloc, jemalloc and snmalloc.

usage: cargo run --release --manifest-path benches/compare/Cargo.toml -- [OPTIONS]
       … -- tracking [OPTIONS]   what tracking costs; tracking --help tells more
       … -- agree [OPTIONS]      whether heaptrack counts the same; agree --help tells more
       … -- leaks [OPTIONS]      whether others call the same blocks lost; leaks --help tells more
       … -- search [OPTIONS]     what a search for leaks costs; search --help tells more
       … -- mem [OPTIONS]        the memory routines beside glibc's; mem --help tells more
       … -- endurance [OPTIONS]  a ledger of 10^9 events; endurance --help tells more

  --library PATH  the shared object to measure (default: target/release/libheapsight.so)
  --no-library    measure the peers alone
  --peers LIST    which peers, separated by commas (default: mimalloc,jemalloc,snmalloc)
  --only NAME     only the rows whose name contains NAME; may be repeated
  --rounds N      rounds per row (default: 7, with --quick 3)
  --quick         rows a fifth as long: a look, not a measurement
  --out PATH      where the table goes (default for a full run: docs/performance.md;
                  a run with --quick, --only, --peers or --no-library only prints it)
  --json PATH     every sample and median as JSON
  --check RATIO   exit with 1 when Heapsight takes more than RATIO times as long as mimalloc
                  on any row
  --help          this text

examples:
  -- --only churn --rounds 15         one question, answered well
  -- --quick --check 1.3              a gate on every row";

/// The peers that can be built, in the order of the table's columns.
pub const PEERS: [&str; 3] = ["mimalloc", "jemalloc", "snmalloc"];

/// Length of a row in percent of its full length, for `--quick` and otherwise.
const QUICK_PERCENT: u32 = 20;
const FULL_PERCENT: u32 = 100;

/// Everything the command line decides.
#[derive(Debug, PartialEq)]
pub struct Arguments {
    /// The shared object to measure; `None` with `--no-library`.
    pub library: Option<PathBuf>,
    /// The peers to build and measure.
    pub peers: Vec<String>,
    /// Parts of row names; empty selects every row.
    pub only: Vec<String>,
    /// Rounds per row.
    pub rounds: usize,
    /// Length of each row in percent.
    pub percent: u32,
    /// Where JSON goes, if anywhere.
    pub json: Option<PathBuf>,
    /// The largest ratio of Heapsight to mimalloc allowed.
    pub gate: Option<f64>,
    out: Option<PathBuf>,
}

impl Arguments {
    /// Parses the words after the program's name; `None` asks for the usage text.
    pub fn parse(words: impl Iterator<Item = String>) -> Result<Option<Self>, String> {
        let mut words = words;
        let mut parsed = Self {
            library: Some(repository().join("target/release/libheapsight.so")),
            peers: PEERS.map(str::to_string).to_vec(),
            only: Vec::new(),
            rounds: 0,
            percent: FULL_PERCENT,
            json: None,
            gate: None,
            out: None,
        };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or_else(|| format!("{word} needs a value"));
            match word.as_str() {
                "--help" | "-h" => return Ok(None),
                "--library" => parsed.library = Some(PathBuf::from(value()?)),
                "--no-library" => parsed.library = None,
                "--peers" => parsed.peers = peers(&value()?)?,
                "--only" => parsed.only.push(value()?),
                "--rounds" => parsed.rounds = positive(&word, &value()?)?,
                "--quick" => parsed.percent = QUICK_PERCENT,
                "--out" => parsed.out = Some(PathBuf::from(value()?)),
                "--json" => parsed.json = Some(PathBuf::from(value()?)),
                "--check" => parsed.gate = Some(positive(&word, &value()?)?),
                _ => return Err(format!("unknown option {word}; --help lists the options")),
            }
        }
        if parsed.rounds == 0 {
            parsed.rounds = if parsed.is_quick() { 3 } else { 7 };
        }
        parsed.checked().map(Some)
    }

    /// Refuses a gate that nothing could exceed.
    fn checked(self) -> Result<Self, String> {
        let has_mimalloc = self.peers.iter().any(|peer| peer == "mimalloc");
        if self.gate.is_some() && (self.library.is_none() || !has_mimalloc) {
            return Err("--check compares Heapsight with mimalloc; measure both".to_string());
        }
        Ok(self)
    }

    /// Whether rows are shortened.
    pub fn is_quick(&self) -> bool {
        self.percent < FULL_PERCENT
    }

    /// Where the table goes besides standard output. A partial run must be told where: it would
    /// otherwise replace the published table by a part of it.
    pub fn document(&self) -> Option<PathBuf> {
        let is_partial = self.is_quick()
            || !self.only.is_empty()
            || self.peers.len() < PEERS.len()
            || self.library.is_none();
        match &self.out {
            Some(path) => Some(path.clone()),
            None if is_partial => None,
            None => Some(repository().join("docs/performance.md")),
        }
    }
}

/// The root of the repository this program was built from.
pub fn repository() -> &'static Path {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.ancestors().nth(2).unwrap_or(here)
}

fn peers(list: &str) -> Result<Vec<String>, String> {
    let asked: Vec<&str> = list.split(',').filter(|name| !name.is_empty()).collect();
    match asked.iter().find(|name| !PEERS.contains(name)) {
        Some(name) => Err(format!("no peer is named {name}; there are {}", PEERS.join(", "))),
        None => {
            let chosen = PEERS.iter().filter(|peer| asked.contains(peer));
            Ok(chosen.map(ToString::to_string).collect())
        }
    }
}

/// A number above zero.
pub fn positive<T: std::str::FromStr + PartialOrd + Default>(
    option: &str,
    value: &str,
) -> Result<T, String> {
    match value.parse() {
        Ok(number) if number > T::default() => Ok(number),
        _ => Err(format!("{option} needs a number above zero, not {value}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Arguments, String> {
        let words = line.split_whitespace().map(str::to_string);
        Arguments::parse(words).map(|parsed| parsed.expect("not --help"))
    }

    #[test]
    fn a_full_run_writes_the_published_table() {
        let arguments = parse("").expect("no arguments are fine");
        assert!(arguments.document().expect("a path").ends_with("docs/performance.md"));
        assert_eq!(arguments.rounds, 7);
    }

    #[test]
    fn a_partial_run_leaves_the_published_table_alone() {
        for line in ["--quick", "--only churn", "--peers mimalloc", "--no-library"] {
            assert_eq!(parse(line).expect(line).document(), None, "{line}");
        }
        let told = parse("--quick --out here.md").expect("valid");
        assert_eq!(told.document(), Some(PathBuf::from("here.md")));
    }

    #[test]
    fn peers_keep_the_order_of_the_columns() {
        let arguments = parse("--peers snmalloc,mimalloc").expect("valid");
        assert_eq!(arguments.peers, ["mimalloc", "snmalloc"]);
    }

    #[test]
    fn mistakes_are_named() {
        for (line, part) in [
            ("--peers tcmalloc", "no peer is named tcmalloc"),
            ("--rounds 0", "above zero"),
            ("--check", "needs a value"),
            ("--check fast", "not fast"),
            ("--chek 1.3", "unknown option --chek"),
            ("--check 1.3 --no-library", "measure both"),
        ] {
            let message = parse(line).expect_err(line);
            assert!(message.contains(part), "{line}: {message}");
        }
    }
}
