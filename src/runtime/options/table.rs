//! The table: one row an option.
//!
//! A row knows its name, the values it accepts, what it means, and how a value gets in and out of
//! a [`Config`]. Parsing, `heapsight options`, the command's flags and `docs/options.md` are all
//! made from these rows; a new option is a field in `Config` and a row here.

use core::fmt::{self, Display, Formatter};

use super::config::{
    Config, ConfigBuilder, LEDGER_SIZE_MAX, LEDGER_SIZE_MIN, PURGE_DELAY_MS_MAX, SAMPLE_BYTES,
    SAMPLE_BYTES_MAX, Safety, ToggleSignal, Track,
};
use super::path::ReportPath;
use super::size::Shown as ShownSize;

/// Every option, in the order in which it is shown.
pub const TABLE: &[OptionRow] = &[
    OptionRow {
        name: "track",
        doc: "How much is remembered about what the program allocates.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "nothing: malloc and free run their bare fast paths",
                set: |builder| builder.with_track(Track::Off),
                is_set: |config| matches!(config.track, Track::Off),
                size: None,
            },
            Choice {
                word: "stats",
                doc: "how many allocations there were and are, and how many bytes",
                set: |builder| builder.with_track(Track::Stats),
                is_set: |config| matches!(config.track, Track::Stats),
                size: None,
            },
            Choice {
                word: "sample",
                doc: "some blocks with their call stacks, drawn at random, SIZE bytes apart on \
                      average (1 to 1G, default 512K): counters are then unbiased estimates",
                set: |builder| builder.with_track(Track::SAMPLE),
                is_set: |config| matches!(config.track, Track::Sample { .. }),
                size: Some(Size {
                    min: 1,
                    max: SAMPLE_BYTES_MAX,
                    default: SAMPLE_BYTES,
                    set: |builder, bytes| builder.with_track(Track::Sample { bytes }),
                    of: |config| match config.track {
                        Track::Sample { bytes } => bytes,
                        _ => SAMPLE_BYTES,
                    },
                }),
            },
            Choice {
                word: "full",
                doc: "as stats, and for every live block its call stack, size and thread",
                set: |builder| builder.with_track(Track::Full),
                is_set: |config| matches!(config.track, Track::Full),
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "leaks",
        doc: "Whether a report at exit names the blocks that the program has lost, alone, with \
              what holds them, or in a cycle, and who holds those that are still reachable: \
              grouped by the call stack that allocated them.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "no report at exit",
                set: |builder| builder.with_leaks(false),
                is_set: |config| !config.leaks,
                size: None,
            },
            Choice {
                word: "on",
                doc: "report at exit; implies track=full unless track is given",
                set: |builder| builder.with_leaks(true),
                is_set: |config| config.leaks,
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "leaks_exitcode",
        doc: "The exit code of a program that leaked; 0 leaves the program's own exit code alone.",
        values: Values::Number(Number {
            metavar: "N",
            min: 0,
            max: u8::MAX as i64,
            set: |builder, number| builder.with_leaks_exitcode(number),
            of: |config| config.leaks_exitcode as i64,
        }),
    },
    OptionRow {
        name: "report",
        doc: "The file that gets the report; empty means standard error. A name that ends in \
              .json gets JSON, any other gets text. %p becomes the process id. A backslash takes \
              the next byte literally.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_report(path),
            of: |config| &config.report,
        }),
    },
    OptionRow {
        name: "suppressions",
        doc: "Files of leaks that are known and do not count, in LeakSanitizer's form, a line \
              leak:PATTERN each; several are separated by colons. See docs/suppressions.md.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_suppressions(path),
            of: |config| &config.suppressions,
        }),
    },
    OptionRow {
        name: "ledger",
        doc: "The file that the process writes while it runs: call sites, counters, timeline. \
              heapsight report, top, diff and export read it, while the process runs and after \
              its end, however it ended. Empty means none; a path implies track=full \
              unless track is given. %p becomes the process id; a forked process adds its own.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_ledger(path),
            of: |config| &config.ledger,
        }),
    },
    OptionRow {
        name: "ledger_size",
        doc: "How many MiB the ledger may grow to. What finds no room in it is counted, and named \
              in every report.",
        values: Values::Number(Number {
            metavar: "MIB",
            min: LEDGER_SIZE_MIN,
            max: LEDGER_SIZE_MAX,
            set: |builder, number| builder.with_ledger_size(number),
            of: |config| config.ledger_size_mib as i64,
        }),
    },
    OptionRow {
        name: "toggle_signal",
        doc: "The signal that switches recording off and, the next time, on again, as it was; with \
              track=off it first switches track=full on. Allocations that come after the signal \
              follow. A program that has a handler of its own for the signal keeps it, and system \
              calls that a signal ends early, as sleep, end early.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "no signal does; whatever the program does with its signals, it does alone",
                set: |builder| builder.with_toggle_signal(None),
                is_set: |config| config.toggle_signal.is_none(),
                size: None,
            },
            Choice {
                word: "USR1",
                doc: "SIGUSR1",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Usr1)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Usr1),
                size: None,
            },
            Choice {
                word: "USR2",
                doc: "SIGUSR2",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Usr2)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Usr2),
                size: None,
            },
            Choice {
                word: "HUP",
                doc: "SIGHUP",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Hup)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Hup),
                size: None,
            },
            Choice {
                word: "URG",
                doc: "SIGURG, which a process without a handler ignores",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Urg)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Urg),
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "safety",
        doc: "What happens when the program frees a block twice, frees an address that is no \
              block, or frees what another allocator made.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "the bad free is ignored",
                set: |builder| builder.with_safety(Safety::Off),
                is_set: |config| matches!(config.safety, Safety::Off),
                size: None,
            },
            Choice {
                word: "basic",
                doc: "one report says what was freed where, and the program aborts",
                set: |builder| builder.with_safety(Safety::Basic),
                is_set: |config| matches!(config.safety, Safety::Basic),
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "purge_delay",
        doc: "How many milliseconds unused memory is kept before it goes back to the operating \
              system; 0 gives it back at once, -1 never.",
        values: Values::Number(Number {
            metavar: "MS",
            min: -1,
            max: PURGE_DELAY_MS_MAX,
            set: |builder, number| builder.with_purge_delay_ms(number),
            of: |config| config.purge_delay_ms,
        }),
    },
];

/// The row of the option called `name`, if there is one.
pub fn row(name: &[u8]) -> Option<&'static OptionRow> {
    TABLE.iter().find(|row| row.name.as_bytes() == name)
}

/// One option.
#[derive(Clone, Copy, Debug)]
pub struct OptionRow {
    /// What it is called in `HEAPSIGHT=name=value`.
    pub name: &'static str,
    /// What it means, in sentences.
    pub doc: &'static str,
    /// What it accepts.
    pub values: Values,
}

impl OptionRow {
    /// The value this option has when nobody sets it, as one would write it.
    pub fn default(&self) -> Shown<'_> {
        self.of(&Config::DEFAULT)
    }

    /// The value this option has in `config`, as one would write it.
    pub fn of<'a>(&'a self, config: &'a Config) -> Shown<'a> {
        Shown { values: &self.values, config }
    }
}

/// The values an option accepts.
#[derive(Clone, Copy, Debug)]
pub enum Values {
    /// One of some words.
    Words(&'static [Choice]),
    /// A whole number in a range.
    Number(Number),
    /// The path of a file, or nothing.
    Path(PathSlot),
}

/// Shows the values as a placeholder does: `off|stats|sample[:SIZE]|full`, `0..255`, `PATH`.
impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(choices) => {
                for (index, choice) in choices.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "|" })?;
                    choice.fmt(f)?;
                }
                Ok(())
            }
            Self::Number(number) => write!(f, "{}..{}", number.min, number.max),
            Self::Path(path) => f.write_str(path.metavar),
        }
    }
}

/// A word an option accepts.
#[derive(Clone, Copy, Debug)]
pub struct Choice {
    /// The word.
    pub word: &'static str,
    /// What happens when it is chosen.
    pub doc: &'static str,
    pub(super) set: fn(&mut ConfigBuilder),
    is_set: fn(&Config) -> bool,
    /// A number of bytes that may follow the word, after a colon.
    pub size: Option<Size>,
}

/// Shows the word with the place of its size: `full`, `sample[:SIZE]`.
impl Display for Choice {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        f.write_str(if self.size.is_some() { "[:SIZE]" } else { "" })
    }
}

/// A number of bytes that belongs to a word: plain, or with K, M or G for powers of 1024.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Smallest that is allowed.
    pub min: u64,
    /// Largest that is allowed.
    pub max: u64,
    /// What the word means alone.
    pub default: u64,
    pub(super) set: fn(&mut ConfigBuilder, u64),
    of: fn(&Config) -> u64,
}

/// The whole numbers an option accepts.
#[derive(Clone, Copy, Debug)]
pub struct Number {
    /// The placeholder of the command's help.
    pub metavar: &'static str,
    /// The least number accepted.
    pub min: i64,
    /// The greatest number accepted.
    pub max: i64,
    pub(super) set: fn(&mut ConfigBuilder, i64),
    of: fn(&Config) -> i64,
}

/// The path an option accepts.
#[derive(Clone, Copy, Debug)]
pub struct PathSlot {
    /// The placeholder of the command's help.
    pub metavar: &'static str,
    pub(super) set: fn(&mut ConfigBuilder, ReportPath),
    of: fn(&Config) -> &ReportPath,
}

/// Displays the value of one option in one configuration, as one would write it in `HEAPSIGHT`.
#[derive(Clone, Copy, Debug)]
pub struct Shown<'a> {
    values: &'a Values,
    config: &'a Config,
}

impl Display for Shown<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.values {
            Values::Words(choices) => {
                let chosen = choices.iter().find(|choice| (choice.is_set)(self.config));
                f.write_str(chosen.map_or("", |choice| choice.word))?;
                match chosen.and_then(|choice| choice.size) {
                    Some(size) => write!(f, ":{}", ShownSize((size.of)(self.config))),
                    None => Ok(()),
                }
            }
            Values::Number(number) => (number.of)(self.config).fmt(f),
            Values::Path(path) => (path.of)(self.config).fmt(f),
        }
    }
}
