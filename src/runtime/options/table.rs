//! The table: one row an option.
//!
//! A row knows its name, the values it accepts, what it means, and how a value gets in and out of
//! a [`Config`]. Parsing, `heapsight options`, the command's flags and `docs/options.md` are all
//! made from these rows; a new option is a field in `Config` and a row here.

use core::fmt::{self, Display, Formatter};

use super::config::{Config, ConfigBuilder, PURGE_DELAY_MS_MAX, Safety, Track};
use super::path::ReportPath;

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
            },
            Choice {
                word: "stats",
                doc: "how many allocations there were and are, and how many bytes",
                set: |builder| builder.with_track(Track::Stats),
                is_set: |config| matches!(config.track, Track::Stats),
            },
            Choice {
                word: "full",
                doc: "the same, and for every live block its call stack, size and thread",
                set: |builder| builder.with_track(Track::Full),
                is_set: |config| matches!(config.track, Track::Full),
            },
        ]),
    },
    OptionRow {
        name: "leaks",
        doc: "Whether a report at exit names the blocks that were never freed, grouped by the \
              call stack that allocated them.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "no report at exit",
                set: |builder| builder.with_leaks(false),
                is_set: |config| !config.leaks,
            },
            Choice {
                word: "on",
                doc: "report at exit; implies track=full unless track is given",
                set: |builder| builder.with_leaks(true),
                is_set: |config| config.leaks,
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
        name: "safety",
        doc: "What happens when the program frees a block twice, frees an address that is no \
              block, or frees what another allocator made.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "the bad free is ignored",
                set: |builder| builder.with_safety(Safety::Off),
                is_set: |config| matches!(config.safety, Safety::Off),
            },
            Choice {
                word: "basic",
                doc: "one report says what was freed where, and the program aborts",
                set: |builder| builder.with_safety(Safety::Basic),
                is_set: |config| matches!(config.safety, Safety::Basic),
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

/// Shows the values as a placeholder does: `off|stats|full`, `0..255`, `PATH`.
impl Display for Values {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(choices) => {
                for (index, choice) in choices.iter().enumerate() {
                    f.write_str(if index == 0 { "" } else { "|" })?;
                    f.write_str(choice.word)?;
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
                f.write_str(chosen.map_or("", |choice| choice.word))
            }
            Values::Number(number) => (number.of)(self.config).fmt(f),
            Values::Path(path) => (path.of)(self.config).fmt(f),
        }
    }
}
