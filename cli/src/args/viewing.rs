//! What can be typed after `report`, `diff`, `export`, `top` and `attach`.

use std::path::PathBuf;

use clap::ValueEnum;
use clap::ValueHint::FilePath;

use crate::view::diff::Match;
use crate::view::metric::Metric;
use crate::view::numbers::parse_size;
use crate::view::weight::Direction;

const REPORT_EXAMPLES: &str = "\
Examples:
  heapsight report 31137
      A running process, as it is now. It is not stopped and not slowed down.
  heapsight report shop.ledger --by live
      What was never freed, after the process has ended, however it did.
  heapsight report shop.ledger --tree callers
      The allocating functions, and below each who called it.
  heapsight report shop.ledger --threads --timeline --events
      The same with further tables.
  heapsight report shop.ledger --top 0 --json | jq '.sites[].counters.live_bytes'
      All call stacks, for a program.

Exit codes: 0; 1 if the report cannot be written; 2 for a ledger that cannot be found or read.";

const DIFF_EXAMPLES: &str = "\
Examples:
  heapsight diff before.ledger after.ledger
      What the second run has in use at its end that the first has not.
  heapsight diff early.ledger 31137 --by live
      What a running process has come to hold since its ledger was copied: a leak, if it goes on.
  heapsight diff main.ledger branch.ledger --by bytes --match function
      Two builds of a program: call stacks are matched by the names of their functions.
  heapsight diff main.ledger branch.ledger --by count --fail-above 1000
      In a script: exit code 1 if the second allocates over 1000 blocks more.

Exit codes: 0; 1 if there is more than --fail-above allows; 2 for a ledger that cannot be found or
read, or an output that cannot be written.";

const EXPORT_EXAMPLES: &str = "\
Examples:
  heapsight export shop.ledger --format flamegraph --metric peak
      Writes shop.svg: open it in a browser.
  heapsight export 31137 --format pprof -o heap.pb.gz
      For: go tool pprof -http : heap.pb.gz
  heapsight export shop.ledger --format heaptrack
      Writes shop.heaptrack.gz, for heaptrack_gui and heaptrack_print.
  heapsight export shop.ledger --format firefox
      Writes shop.firefox.json, for the Firefox Profiler.
  heapsight export shop.ledger --format collapsed -o - | sort -k2nr -t' '
      To standard output.

Exit codes: 0; 1 if the file cannot be written; 2 for a ledger that cannot be found or read.";

const TOP_EXAMPLES: &str = "\
Keys: Up Down PgUp PgDn Home End move, Enter opens a call stack, Esc goes back, Tab or 1 2 3 change
between call stacks, threads and size classes, s S sort, / searches, Space pauses, ? helps, q ends.

Examples:
  heapsight top 31137
      Watch a running process.
  heapsight top 31137 --once > now.txt
      One picture, as text. So it is, too, when the output is no terminal.

Exit codes: 0; 1 if the terminal cannot be used; 2 for a ledger that cannot be found or read.";

const ATTACH_EXAMPLES: &str = "\
The process must write a ledger: heapsight run --ledger FILE --track off -- PROGRAM costs nothing
until somebody attaches. Blocks that it allocated before stay as unknown as they are.

Examples:
  heapsight attach 31137 --track full
      Record every block from here on; then: heapsight top 31137.
  heapsight attach 31137 --track sample:1M
      Record some.
  heapsight attach 31137 --track off
      Stop recording. What was recorded stays in the ledger.

Exit codes: 0; 1 if the process has not followed in time; 2 for a ledger that cannot be found or
written.";

#[derive(Debug, clap::Args)]
#[command(after_help = ATTACH_EXAMPLES)]
pub(crate) struct AttachArgs {
    /// The id of the process, or its ledger
    #[arg(value_name = "PID|LEDGER")]
    pub(crate) ledger: PathBuf,

    #[arg(
        long,
        value_name = "MODE",
        value_parser = super::words::words("track"),
        default_value = "full",
        help = "How much is recorded from here on",
    )]
    pub(crate) track: String,

    /// Wait so many seconds for the process to follow, which it does with the next few blocks it
    /// allocates; 0 does not wait
    #[arg(long, value_name = "SECONDS", default_value_t = 5.0)]
    pub(crate) wait: f64,
}

#[derive(Debug, clap::Args)]
#[command(after_help = REPORT_EXAMPLES)]
pub(crate) struct ReportArgs {
    /// The ledger, or the id of a running process
    #[arg(value_name = "LEDGER|PID", value_hint = FilePath)]
    pub(crate) ledger: PathBuf,

    /// Rank call stacks by this
    #[arg(long, value_name = "METRIC", default_value = "peak")]
    pub(crate) by: Metric,

    /// Show so many call stacks; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 10)]
    pub(crate) top: usize,

    /// Show a call tree instead of call stacks
    #[arg(long, value_name = "DIRECTION")]
    pub(crate) tree: Option<Direction>,

    /// Add a table of functions: what each allocated itself and with those it called
    #[arg(long)]
    pub(crate) functions: bool,

    /// Add a table of executables and shared objects
    #[arg(long)]
    pub(crate) modules: bool,

    /// Add a table of threads
    #[arg(long)]
    pub(crate) threads: bool,

    /// Add a table of size classes
    #[arg(long)]
    pub(crate) classes: bool,

    /// Add a curve of the bytes in use
    #[arg(long)]
    pub(crate) timeline: bool,

    /// Add a list of what happened: marks, forks, changes of tracking
    #[arg(long)]
    pub(crate) events: bool,

    /// Show deep call stacks whole, not their inner and outer ends alone
    #[arg(long)]
    pub(crate) whole: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Show modules and offsets instead of reading symbols
    #[arg(long)]
    pub(crate) no_symbols: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = DIFF_EXAMPLES)]
pub(crate) struct DiffArgs {
    /// The first ledger, or the id of a running process
    #[arg(value_name = "BEFORE", value_hint = FilePath)]
    pub(crate) before: PathBuf,

    /// The second ledger, or the id of a running process
    #[arg(value_name = "AFTER", value_hint = FilePath)]
    pub(crate) after: PathBuf,

    /// Compare this
    #[arg(long, value_name = "METRIC", default_value = "live")]
    pub(crate) by: Metric,

    /// Which call stacks of the two are the same
    #[arg(long = "match", value_name = "HOW", default_value = "offset")]
    pub(crate) matching: Match,

    /// Show so many call stacks; 0 shows all
    #[arg(long, value_name = "N", default_value_t = 20)]
    pub(crate) top: usize,

    /// End with exit code 1 if the second has more than so much more in all, as 1M
    #[arg(long, value_name = "AMOUNT", value_parser = parse_size)]
    pub(crate) fail_above: Option<u64>,

    /// Show deep call stacks whole, not their inner and outer ends alone
    #[arg(long)]
    pub(crate) whole: bool,

    /// As JSON
    #[arg(long)]
    pub(crate) json: bool,

    /// Show modules and offsets instead of reading symbols
    #[arg(long, conflicts_with = "matching")]
    pub(crate) no_symbols: bool,
}

#[derive(Debug, clap::Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub(crate) struct ExportArgs {
    /// The ledger, or the id of a running process
    #[arg(value_name = "LEDGER|PID", value_hint = FilePath)]
    pub(crate) ledger: PathBuf,

    /// Whose format
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Format,

    /// What is measured, in formats with one value a call stack [default: peak]
    #[arg(long, value_name = "METRIC")]
    pub(crate) metric: Option<Metric>,

    /// The file to write; - is standard output [default: the ledger's name, with another ending]
    #[arg(short, long, value_name = "FILE", value_hint = FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The title of a flame graph [default: the program and the metric]
    #[arg(long, value_name = "TEXT")]
    pub(crate) title: Option<String>,

    /// Flame graph with the roots at the top
    #[arg(long)]
    pub(crate) icicle: bool,

    /// Write modules and offsets instead of reading symbols
    #[arg(long)]
    pub(crate) no_symbols: bool,
}

/// Whose file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    /// For pprof and what reads its profiles: bytes and blocks, allocated and in use
    Pprof,
    /// A line of functions and a value for each call stack
    Collapsed,
    /// A picture (SVG)
    Flamegraph,
    /// For the Firefox Profiler: allocated and retained bytes, and memory over time
    Firefox,
    /// For speedscope: bytes and blocks, allocated, at the peak and in use
    Speedscope,
    /// For heaptrack_gui and heaptrack_print
    Heaptrack,
}

#[derive(Debug, clap::Args)]
#[command(after_help = TOP_EXAMPLES)]
pub(crate) struct TopArgs {
    /// The ledger, or the id of a running process
    #[arg(value_name = "LEDGER|PID", value_hint = FilePath)]
    pub(crate) ledger: PathBuf,

    /// Sort by this at first
    #[arg(long, value_name = "METRIC", default_value = "live")]
    pub(crate) by: Metric,

    /// Seconds from one look at the ledger to the next
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = seconds)]
    pub(crate) every: f64,

    /// Print one picture as text and end
    #[arg(long)]
    pub(crate) once: bool,

    /// Show modules and offsets instead of reading symbols
    #[arg(long)]
    pub(crate) no_symbols: bool,
}

fn seconds(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(seconds) if (0.05..=3600.0).contains(&seconds) => Ok(seconds),
        _ => Err("give a number of seconds from 0.05 to 3600".into()),
    }
}
