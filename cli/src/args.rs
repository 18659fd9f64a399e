//! What can be typed. The flags of `run` that set an option take their values and their help from
//! the option's row of the table.

pub(crate) mod leaking;
pub(crate) mod viewing;
mod words;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::RangedI64ValueParser;
use clap::builder::styling::{AnsiColor, Styles};
use clap::{Parser, Subcommand, ValueHint};
use heapsight::options::{Values, row};

use self::leaking::{LeaksArgs, WhyArgs};
use self::viewing::{AttachArgs, DiffArgs, ExportArgs, ReportArgs, TopArgs};
use self::words::words;

/// Colours of help and errors; shown on a terminal only, and not when NO_COLOR is set.
pub(crate) const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default())
    .error(AnsiColor::Red.on_default().bold());

const ABOUT: &str = "\
Heapsight is a memory allocator that knows where every byte came from.

`heapsight run` puts it under any program that is linked to glibc, with no rebuild and no root, \
and at exit names every block the program has lost: how many, how large, and the functions \
and lines that allocated them.";

const EXAMPLES: &str = "\
Examples:
  heapsight run -- ./server --port 8080
      Run a program; at exit, see on stderr what it leaked and where.
  heapsight run --report leaks.json -- python3 app.py
      The same, as JSON in a file. A name without .json gets text.
  heapsight run --leaks-exitcode 23 -- make test
      Fail a test run that leaks.
  heapsight run --track off -- ./server
      Only the allocator: nothing is recorded, nothing is reported.
  heapsight leaks 31137
      What a running process has leaked by now.
  heapsight report 31137
      Where the memory of a running process is, by call stack.
  heapsight top 31137
      The same, live.
  heapsight run --ledger shop.ledger --track sample -- ./shop
      Record some blocks, at no cost that could be measured, into a file for report and top.
  heapsight options
      Every option, its values and what they do.

Exit codes: the program's own; 2 for a wrong option, or a report or ledger that cannot be written,
125 without libheapsight.so, 126 for a program that cannot be run with it, 127 for one that does not
exist.

Function names and lines need debug information in the program: cc -g, or debug = 1 in Cargo.toml.";

const RUN_EXAMPLES: &str = "\
The program keeps the terminal, the process id, its signals and its exit code. Without --track and
--leaks, and with neither in HEAPSIGHT, leaks are reported at exit.

The environment variable HEAPSIGHT holds options too (HEAPSIGHT=track=full,leaks=on). What is typed
here wins over it, and --track and its likes over --option.

Exit codes:
  the program's own, unless --leaks-exitcode is given and it leaked; and when it was not started:
    2    an option is wrong, or the report or the ledger cannot be written
    125  libheapsight.so is missing or unfit
    126  the program cannot be run with it: not executable, static, 32-bit, musl, setuid ...
    127  the program does not exist

Examples:
  heapsight run -- ./server --port 8080
  heapsight run --report leaks-%p.txt -- ./batch input.csv
  heapsight run --leaks-exitcode 23 --option purge_delay=0 -- make test";

/// Runs any program on the Heapsight allocator and tells where its memory went.
#[derive(Debug, Parser)]
#[command(
    name = "heapsight",
    version,
    about = "Run any program on the Heapsight allocator and see where its memory went",
    long_about = ABOUT,
    after_help = EXAMPLES,
    styles = STYLES,
    arg_required_else_help = true,
)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Run a program and report what it leaked
    Run(Box<RunArgs>),
    /// Tell what a program, or a running process, has leaked, or what grows
    Leaks(LeaksArgs),
    /// Tell who holds a block of a running process
    Why(WhyArgs),
    /// Show where a process's memory went, from its ledger
    Report(ReportArgs),
    /// Show what changed between two ledgers
    Diff(DiffArgs),
    /// Write a ledger for another viewer: pprof, flame graph, heaptrack ...
    Export(ExportArgs),
    /// Watch a running process
    Top(TopArgs),
    /// Change what a running process records
    Attach(AttachArgs),
    /// List every option, its values and what they do
    Options(OptionsArgs),
}

#[derive(Debug, Default, clap::Args)]
#[command(after_help = RUN_EXAMPLES)]
pub(crate) struct RunArgs {
    #[arg(long, value_name = "MODE", value_parser = words("track"), help = doc("track"))]
    pub(crate) track: Option<String>,

    #[arg(long, value_name = "ON|OFF", value_parser = words("leaks"), help = doc("leaks"))]
    pub(crate) leaks: Option<String>,

    #[arg(
        long,
        value_name = "N",
        value_parser = range("leaks_exitcode"),
        allow_negative_numbers = true,
        help = doc("leaks_exitcode"),
    )]
    pub(crate) leaks_exitcode: Option<i64>,

    #[arg(long, value_name = "MODE", value_parser = words("safety"), help = doc("safety"))]
    pub(crate) safety: Option<String>,

    /// The file that gets the report instead of stderr; .json, .sarif and .md say what it looks
    /// like; %p becomes the process id
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<OsString>,

    #[arg(
        long,
        value_name = "FORMAT",
        value_parser = words("report_format"),
        help = doc("report_format"),
    )]
    pub(crate) report_format: Option<String>,

    #[arg(long, value_name = "WORTH", value_parser = words("interior"), help = doc("interior"))]
    pub(crate) interior: Option<String>,

    /// Files of leaks that are known and do not count, in LeakSanitizer's form, separated by colons
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) suppressions: Option<OsString>,

    /// The file that the process writes while it runs, for report, top, diff and export; %p becomes
    /// the process id; implies --track full unless that is given
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) ledger: Option<OsString>,

    #[arg(
        long,
        value_name = "MIB",
        value_parser = range("ledger_size"),
        help = doc("ledger_size"),
    )]
    pub(crate) ledger_size: Option<i64>,

    #[arg(
        long,
        value_name = "SIGNAL",
        value_parser = words("toggle_signal"),
        help = doc("toggle_signal"),
    )]
    pub(crate) toggle_signal: Option<String>,

    #[arg(
        long,
        value_name = "MS",
        value_parser = range("purge_delay"),
        allow_negative_numbers = true,
        help = doc("purge_delay"),
    )]
    pub(crate) purge_delay: Option<i64>,

    #[arg(
        long,
        value_name = "MIB",
        value_parser = range("max_allocation"),
        help = doc("max_allocation"),
    )]
    pub(crate) max_allocation: Option<i64>,

    #[arg(long, value_name = "MODE", value_parser = words("simd"), help = doc("simd"))]
    pub(crate) simd: Option<String>,

    #[arg(
        long,
        value_name = "MIB",
        value_parser = range("quarantine"),
        help = doc("quarantine"),
    )]
    pub(crate) quarantine: Option<i64>,

    #[arg(
        long,
        value_name = "ACTION",
        value_parser = words("safety_action"),
        help = doc("safety_action"),
    )]
    pub(crate) safety_action: Option<String>,

    #[arg(long, value_name = "N", value_parser = range("safety_seed"), help = doc("safety_seed"))]
    pub(crate) safety_seed: Option<i64>,

    #[arg(long, value_name = "SIDE", value_parser = words("guard_side"), help = doc("guard_side"))]
    pub(crate) guard_side: Option<String>,

    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath, help = doc("guard_sites"))]
    pub(crate) guard_sites: Option<OsString>,

    #[arg(long, value_name = "0|1", value_parser = range("never_unmap"), help = doc("never_unmap"))]
    pub(crate) never_unmap: Option<i64>,

    #[arg(
        long,
        value_name = "0|1",
        value_parser = range("retain_metadata"),
        help = doc("retain_metadata"),
    )]
    pub(crate) retain_metadata: Option<i64>,

    /// Any option, as in HEAPSIGHT; may be repeated
    #[arg(short, long = "option", value_name = "NAME=VALUE")]
    pub(crate) options: Vec<OsString>,

    /// The libheapsight.so to use [default: beside this command, or in ../lib]
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub(crate) library: Option<PathBuf>,

    /// The program and its arguments
    #[arg(
        value_name = "PROGRAM",
        required = true,
        trailing_var_arg = true,
        value_hint = ValueHint::CommandWithArguments,
    )]
    pub(crate) program: Vec<OsString>,
}

#[derive(Debug, clap::Args)]
pub(crate) struct OptionsArgs {
    /// As JSON
    #[arg(long, conflicts_with = "markdown")]
    pub(crate) json: bool,

    /// As the Markdown page docs/options.md
    #[arg(long)]
    pub(crate) markdown: bool,
}

fn doc(name: &str) -> &'static str {
    row(name.as_bytes()).map_or("", |row| row.doc.trim_end_matches('.'))
}

/// Accepts the numbers of the option called `name`.
fn range(name: &str) -> RangedI64ValueParser<i64> {
    let parser = RangedI64ValueParser::new();
    match row(name.as_bytes()).map(|row| row.values) {
        Some(Values::Number(number)) => parser.range(number.min..=number.max),
        _ => parser,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use heapsight::options::TABLE;

    fn program(line: &[&str]) -> Vec<OsString> {
        match Args::try_parse_from(["heapsight", "run"].iter().chain(line)).unwrap().command {
            Command::Run(args) => args.program,
            other => panic!("run was typed, not {other:?}"),
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Args::command().debug_assert();
    }

    #[test]
    fn every_option_has_a_flag_that_accepts_its_default() {
        for row in TABLE {
            let flag = format!("--{}={}", row.name.replace('_', "-"), row.default());
            assert!(Args::try_parse_from(["heapsight", "run", &flag, "ls"]).is_ok(), "{flag}");
        }
    }

    #[test]
    fn what_follows_the_program_belongs_to_it() {
        assert_eq!(program(&["--", "ls", "-l", "--track", "--"]), ["ls", "-l", "--track", "--"]);
        assert_eq!(program(&["ls", "--help"]), ["ls", "--help"]);
        assert_eq!(program(&["--track", "off", "ls", "-x"]), ["ls", "-x"]);
    }

    #[test]
    fn values_outside_the_table_are_refused() {
        let flags = [
            "--track=ful",
            "--track=full:1",
            "--track=sample:0",
            "--track=sample,leaks=on",
            "--ledger-size=3",
            "--leaks-exitcode=256",
            "--purge-delay=-2",
            "--safety=max",
        ];
        for flag in flags {
            assert!(Args::try_parse_from(["heapsight", "run", flag, "ls"]).is_err(), "{flag}");
        }
        assert!(Args::try_parse_from(["heapsight", "run", "--purge-delay", "-1", "ls"]).is_ok());
        assert!(Args::try_parse_from(["heapsight", "run", "--track", "sample:64K", "ls"]).is_ok());
    }
}
