//! What a row of the table of options is.
//!
//! A row knows its name, the values it accepts, what it means, and how a value gets in and out of
//! a [`Config`]. Parsing, `heapsight options`, the command's flags and `docs/options.md` are all
//! made from these rows; a new option is a field in `Config` and a row here.

use core::fmt::{self, Display, Formatter};

use super::builder::ConfigBuilder;
use super::config::Config;
use super::path::ReportPath;
use super::rows::TABLE;
use super::size::Shown as ShownSize;

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
    pub(super) is_set: fn(&Config) -> bool,
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
    pub(super) of: fn(&Config) -> u64,
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
    pub(super) of: fn(&Config) -> i64,
}

/// The path an option accepts.
#[derive(Clone, Copy, Debug)]
pub struct PathSlot {
    /// The placeholder of the command's help.
    pub metavar: &'static str,
    pub(super) set: fn(&mut ConfigBuilder, ReportPath),
    pub(super) of: fn(&Config) -> &ReportPath,
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
