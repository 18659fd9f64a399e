//! What can be typed after `leaks` and `why`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::ValueEnum;
use clap::ValueHint::{CommandWithArguments, FilePath};
use heapsight::options;

/// The exit code that says that there are leaks, as LeakSanitizer's does.
pub(crate) const LEAKED: u8 = 23;

const LEAKS_EXAMPLES: &str = "\
A program is run to its end, and reports then. A process is asked while it runs: it stands still
for some milliseconds, in which it copies itself, and the copy looks. It must write a ledger and
record every block: heapsight run --ledger FILE --track full -- PROGRAM. System calls that are never
restarted after a signal (poll, epoll_wait, nanosleep) fail with EINTR in it, as they may any time.

Growth is what no single look finds: a cache that is never emptied is still reachable. --growth N
looks N times and names the call stacks whose blocks in use grew from each look to the next, in
number and by more than 1 % in bytes, and are not slowing down as a program does that warms up:
the last interval's rate is at least half the mean rate.

Examples:
  heapsight leaks -- ./batch input.csv
      Run a program; at exit, see on stderr what it leaked; the exit code tells a script.
  heapsight leaks --output leaks.sarif -- ./batch input.csv
      The same in a file, for a viewer of code; .json, .md and .txt are told by their names, too.
  heapsight leaks 31137
      What a running process has leaked by now.
  heapsight leaks 31137 --growth 4 --every 30s
      What grows in it, and who holds that.
  heapsight leaks 31137 --format json | jq '.leaks[] | select(.class == \"lost\")'

Exit codes:
  0    no leaks (nothing that grows); of a program: its own exit code
  23   leaks (something that grows); another one with --exit-code
  1    the process was asked and gave no report in time, or could not make one
  2    a wrong command line; there is no such process or ledger, or it cannot be asked
  125, 126, 127 as of heapsight run, if the program could not be run";

const LEAKS_USAGE: &str = "\
heapsight leaks [OPTIONS] -- PROGRAM [ARGUMENT]...
       heapsight leaks [OPTIONS] <PID|LEDGER>";

const WHY_EXAMPLES: &str = "\
The process is asked as by heapsight leaks PID, and on the same conditions.

Examples:
  heapsight why 31137 0x7f21c40012a0
      Who holds the block with that address in it: from a global variable, a thread's stack or the
      like, block by block.
  heapsight why 31137 add_to_cache
      The same for the blocks whose call stacks go through a function: the largest of each.
  heapsight why 31137 cache.c:120
      For those of a line.

Exit codes: 0; 1 if there is no such block, or the process gave no answer in time; 2 for a process
or ledger that cannot be found or asked.";

/// What a report looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReportFormat {
    /// For people
    Text,
    /// For programs: everything, one object
    Json,
    /// For viewers of code and continuous integration: the leaks, in SARIF 2.1.0
    Sarif,
    /// For pages and comments
    Markdown,
    /// For what reads LeakSanitizer's reports
    Lsan,
}

/// What an answer looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// For people
    Text,
    /// For programs: everything, one object
    Json,
}

impl ReportFormat {
    /// The format that a file's name asks for; text if none does.
    pub(crate) fn of(path: &Path) -> Self {
        match options::ReportFormat::of_name(path.as_os_str().as_bytes()) {
            options::ReportFormat::Text => Self::Text,
            options::ReportFormat::Json => Self::Json,
            options::ReportFormat::Sarif => Self::Sarif,
            options::ReportFormat::Markdown => Self::Markdown,
            options::ReportFormat::Lsan => Self::Lsan,
        }
    }

    /// Its word in the option `report_format`.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Sarif => "sarif",
            Self::Markdown => "markdown",
            Self::Lsan => "lsan",
        }
    }
}

#[derive(Debug, clap::Args)]
#[command(after_help = LEAKS_EXAMPLES, override_usage = LEAKS_USAGE)]
pub(crate) struct LeaksArgs {
    /// The id of a running process, or its ledger
    #[arg(
        value_name = "PID|LEDGER",
        value_hint = FilePath,
        required_unless_present = "program",
        conflicts_with = "program",
    )]
    pub(crate) target: Option<PathBuf>,

    /// A program to run, and its arguments
    #[arg(value_name = "PROGRAM", last = true, value_hint = CommandWithArguments)]
    pub(crate) program: Vec<OsString>,

    /// What the report looks like [default: text, or what the name of --output says]
    #[arg(long, value_name = "FORMAT")]
    pub(crate) format: Option<ReportFormat>,

    /// The file that gets the report; %p becomes the id of a program that is run
    #[arg(long, value_name = "FILE", value_hint = FilePath)]
    pub(crate) output: Option<PathBuf>,

    /// The exit code that says that there are leaks
    #[arg(long, value_name = "N", default_value_t = LEAKED)]
    pub(crate) exit_code: u8,

    /// Look so many times, at least 3, and report what grows
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u32).range(3..=1000),
        conflicts_with = "program",
    )]
    pub(crate) growth: Option<u32>,

    /// The time from one look to the next, as 500ms, 10s, 5m
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        requires = "growth",
        default_value = "10s",
    )]
    pub(crate) every: Duration,

    /// Wait so long for each answer of a process, as 500ms, 10s, 5m
    #[arg(
        long,
        value_name = "DURATION",
        value_parser = duration,
        conflicts_with = "program",
        default_value = "60s",
    )]
    pub(crate) wait: Duration,

    /// Any option for a program that is run, as in HEAPSIGHT; may be repeated
    #[arg(short, long = "option", value_name = "NAME=VALUE", conflicts_with = "target")]
    pub(crate) options: Vec<OsString>,

    /// The libheapsight.so to run a program with [default: beside this command, or in ../lib]
    #[arg(long, value_name = "PATH", value_hint = FilePath, conflicts_with = "target")]
    pub(crate) library: Option<PathBuf>,
}

#[derive(Debug, clap::Args)]
#[command(after_help = WHY_EXAMPLES)]
pub(crate) struct WhyArgs {
    /// The id of a running process, or its ledger
    #[arg(value_name = "PID|LEDGER", value_hint = FilePath)]
    pub(crate) target: PathBuf,

    /// An address in a block, as 0x7f21c40012a0; or what call stacks go through
    #[arg(value_name = "ADDRESS|FUNCTION|FILE:LINE", value_parser = Which::parse)]
    pub(crate) which: Which,

    /// What the answer looks like
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub(crate) format: AnswerFormat,

    /// Wait so long for the answer, as 500ms, 10s, 5m
    #[arg(long, value_name = "DURATION", value_parser = duration, default_value = "60s")]
    pub(crate) wait: Duration,
}

/// Which blocks are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    At(u64),
    Through(String),
    Line { file: String, line: u32 },
}

impl Which {
    fn parse(text: &str) -> Result<Self, String> {
        if let Some(digits) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
            return match u64::from_str_radix(digits, 16) {
                Ok(address) if address > 0 => Ok(Self::At(address)),
                _ => Err("this is no address: write it as 0x7f21c40012a0".into()),
            };
        }
        if text.parse::<u64>().is_ok() {
            return Err("write an address as 0x7f21c40012a0, and a line as file.c:120".into());
        }
        let line = text.rsplit_once(':').filter(|(file, _)| !file.is_empty());
        Ok(match line.and_then(|(file, line)| Some((file, line.parse().ok()?))) {
            Some((file, line)) => Self::Line { file: file.into(), line },
            None => Self::Through(text.into()),
        })
    }
}

/// A number with a unit of time; seconds without.
fn duration(text: &str) -> Result<Duration, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let factor = match &text[digits.len()..] {
        "ms" => 0.001,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err("give a number and ms, s, m or h".into()),
    };
    let seconds = digits.parse::<f64>().ok().map(|number| number * factor);
    let is_sensible = |seconds: &f64| (0.001..=1e9).contains(seconds);
    let seconds = seconds.filter(is_sensible).ok_or("give a number and ms, s, m or h")?;
    Ok(Duration::from_secs_f64(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_units() {
        let millis = |text| duration(text).map(|duration| duration.as_millis());
        assert_eq!(millis("500ms"), Ok(500));
        assert_eq!(millis("2.5"), Ok(2500));
        assert_eq!(millis("10s"), Ok(10_000));
        assert_eq!(millis("5m"), Ok(300_000));
        for wrong in ["", "s", "5 days", "-1s", "0", "1e99"] {
            assert!(millis(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_lines_and_functions_are_told_apart() {
        assert_eq!(Which::parse("0x10"), Ok(Which::At(16)));
        assert_eq!(Which::parse("a::b"), Ok(Which::Through("a::b".into())));
        assert_eq!(Which::parse("f"), Ok(Which::Through("f".into())));
        assert_eq!(Which::parse("a.c:12"), Ok(Which::Line { file: "a.c".into(), line: 12 }));
        for wrong in ["0x", "0x0", "0xzz", "1234"] {
            assert!(Which::parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_name_says_the_format() {
        assert_eq!(ReportFormat::of(Path::new("a/b.json")), ReportFormat::Json);
        assert_eq!(ReportFormat::of(Path::new("b")), ReportFormat::Text);
        assert_eq!(ReportFormat::of(Path::new("b.out")), ReportFormat::Text);
    }
}
