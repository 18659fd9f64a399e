//! What was wrong with an option, in one line.
//!
//! The error carries copies of what was typed, cut to a length that a line can hold, so that it
//! borrows nothing and allocates nothing.

use core::fmt::{self, Display, Formatter, Write};

use super::path::PathError;
use super::rows::TABLE;
use super::size::Shown as ShownSize;
use super::suggest::nearest;
use super::table::{Choice, OptionRow, Size, Values};

/// An item that is no setting. Displays as one line, for instance
/// `heapsight: unknown option 'trak': did you mean 'track'? (ignored)`.
#[derive(Clone, Copy, Debug)]
pub struct OptionError {
    problem: Problem,
    fate: Fate,
}

/// What became of the setting.
#[derive(Clone, Copy, Debug)]
enum Fate {
    /// It was skipped; the rest counts.
    Ignored,
    /// Nothing was built.
    Refused,
}

impl OptionError {
    pub(super) const fn ignored(problem: Problem) -> Self {
        Self { problem, fate: Fate::Ignored }
    }

    pub(super) const fn refused(problem: Problem) -> Self {
        Self { problem, fate: Fate::Refused }
    }

    /// The sentence alone, for those who say themselves who speaks and what happens next.
    pub fn reason(&self) -> Reason<'_> {
        Reason { problem: &self.problem }
    }
}

impl Display for OptionError {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "heapsight: {}", self.reason())?;
        match self.fate {
            Fate::Ignored => f.write_str(" (ignored)"),
            Fate::Refused => Ok(()),
        }
    }
}

impl core::error::Error for OptionError {}

/// Displays what is wrong without saying what becomes of it; made by [`OptionError::reason`].
#[derive(Clone, Copy, Debug)]
pub struct Reason<'a> {
    problem: &'a Problem,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Problem {
    UnknownOption { typed: Excerpt, near: Option<&'static str> },
    MissingValue { row: &'static OptionRow },
    BadValue { row: &'static OptionRow, typed: Excerpt, near: Option<&'static str> },
    OutOfRange { name: &'static str, number: i64, min: i64, max: i64 },
    BadSize { row: &'static OptionRow, word: &'static str, range: &'static Size, typed: Excerpt },
    SizeOutOfRange { name: &'static str, word: &'static str, bytes: u64, min: u64, max: u64 },
    BadPath { name: &'static str, typed: Excerpt, reason: PathError },
    LeaksUntracked,
    LeaksSampled,
    SafetyUntracked,
    SafetyUnsampled,
    SampledFewer,
    SitesUnwatched,
    Unwatched { name: &'static str },
}

impl Problem {
    #[cold]
    pub(super) fn unknown_option(typed: &[u8]) -> Self {
        let near = nearest(typed, TABLE.iter().map(|row| row.name));
        Self::UnknownOption { typed: Excerpt::of(typed), near }
    }

    #[cold]
    pub(super) fn bad_value(row: &'static OptionRow, typed: &[u8]) -> Self {
        let near = match row.values {
            // What follows a colon is no part of the word.
            Values::Words(choices) => typed
                .split(|byte| *byte == b':')
                .next()
                .and_then(|word| nearest(word, choices.iter().map(|choice| choice.word))),
            Values::Number(_) | Values::Path(_) => None,
        };
        Self::BadValue { row, typed: Excerpt::of(typed), near }
    }

    #[cold]
    pub(super) fn bad_size(
        row: &'static OptionRow,
        choice: &Choice,
        range: &'static Size,
        typed: &[u8],
    ) -> Self {
        Self::BadSize { row, word: choice.word, range, typed: Excerpt::of(typed) }
    }

    pub(super) const fn bad_path(name: &'static str, typed: &[u8], reason: PathError) -> Self {
        Self::BadPath { name, typed: Excerpt::of(typed), reason }
    }
}

impl Display for Reason<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.problem {
            Problem::UnknownOption { typed, near: Some(near) } => {
                write!(f, "unknown option '{typed}': did you mean '{near}'?")
            }
            Problem::UnknownOption { typed, near: None } => {
                write!(f, "unknown option '{typed}': the options are ")?;
                write_list(f, TABLE.iter().map(|row| row.name), "and")
            }
            Problem::MissingValue { row } => {
                let name = row.name;
                write!(f, "option '{name}' has no value: write '{name}=VALUE', and as VALUE ")?;
                write_accepted(f, row)
            }
            Problem::BadValue { row, typed, near: Some(near) } => {
                write!(f, "bad value '{typed}' for option '{}': did you mean '{near}'?", row.name)
            }
            Problem::BadValue { row, typed, near: None } => {
                write!(f, "bad value '{typed}' for option '{}': use ", row.name)?;
                write_accepted(f, row)
            }
            Problem::OutOfRange { name, number, min, max } => {
                write!(f, "bad value '{number}' for option '{name}': use ")?;
                write_range(f, *min, *max)
            }
            Problem::BadPath { name, typed, reason } => {
                write!(f, "bad value '{typed}' for option '{name}': {reason}")
            }
            Problem::BadSize { row, word, range, typed } => {
                write!(f, "bad value '{word}:{typed}' for option '{}': use ", row.name)?;
                write_sizes(f, word, range.min, range.max)
            }
            Problem::SizeOutOfRange { name, word, bytes, min, max } => {
                let bytes = ShownSize(*bytes);
                write!(f, "bad value '{word}:{bytes}' for option '{name}': use ")?;
                write_sizes(f, word, *min, *max)
            }
            Problem::LeaksSampled => f.write_str(
                "'leaks=on' needs every block, 'track=sample' records some: use 'track=full'",
            ),
            Problem::SafetyUntracked => f.write_str(
                "'safety=full' and 'safety=guard' watch every block, which must be recorded: use \
                 'track=full' or 'track=stats'",
            ),
            Problem::SafetyUnsampled => f.write_str(
                "'safety=sampled' watches few blocks, and all are recorded: use 'safety=full' or \
                 'safety=guard', or else 'track=off' or 'track=sample'",
            ),
            Problem::SampledFewer => f.write_str(
                "'safety=sampled' guards some of the blocks that 'track=sample' draws: its SIZE \
                 must not be smaller than that of 'track=sample'",
            ),
            Problem::SitesUnwatched => f.write_str(
                "'guard_sites' needs blocks that are watched: use 'safety=sampled' or \
                 'safety=full'",
            ),
            Problem::Unwatched { name } => {
                write!(f, "'{name}=1' needs freed blocks that are watched: use 'safety=full'")
            }
            Problem::LeaksUntracked => {
                f.write_str("'leaks=on' finds nothing with 'track=off': use 'track=full'")
            }
        }
    }
}

fn write_accepted(f: &mut Formatter<'_>, row: &OptionRow) -> fmt::Result {
    match row.values {
        Values::Words(choices) => write_list(f, choices.iter(), "or"),
        Values::Number(number) => write_range(f, number.min, number.max),
        Values::Path(_) => f.write_str("the path of a file"),
    }
}

fn write_range(f: &mut Formatter<'_>, min: i64, max: i64) -> fmt::Result {
    write!(f, "a whole number from {min} to {max}")
}

fn write_sizes(f: &mut Formatter<'_>, word: &str, min: u64, max: u64) -> fmt::Result {
    let (min, max) = (ShownSize(min), ShownSize(max));
    write!(f, "'{word}:SIZE' with a number of bytes from {min} to {max}, such as 4096, 512K or 1M")
}

/// Writes `a, b and c`.
fn write_list(
    f: &mut Formatter<'_>,
    words: impl ExactSizeIterator<Item: Display>,
    conjunction: &str,
) -> fmt::Result {
    let last = words.len().saturating_sub(1);
    for (index, word) in words.enumerate() {
        match index {
            0 => {}
            _ if index == last => write!(f, " {conjunction} ")?,
            _ => f.write_str(", ")?,
        }
        word.fmt(f)?;
    }
    Ok(())
}

/// The beginning of what was typed. Displays on one line whatever the bytes are.
#[derive(Clone, Copy, Debug)]
pub(super) struct Excerpt {
    bytes: [u8; Excerpt::CAPACITY],
    len: usize,
    is_cut: bool,
}

impl Excerpt {
    const CAPACITY: usize = 48;

    const fn of(typed: &[u8]) -> Self {
        let mut excerpt = Self { bytes: [0; Self::CAPACITY], len: 0, is_cut: false };
        let mut rest = typed;
        while let [byte, tail @ ..] = rest
            && excerpt.len < Self::CAPACITY
        {
            excerpt.bytes[excerpt.len] = *byte;
            excerpt.len += 1;
            rest = tail;
        }
        if let [next, ..] = rest {
            excerpt.is_cut = true;
            if is_continuation(*next) {
                excerpt.drop_last_letter();
            }
        }
        excerpt
    }

    /// Takes away a UTF-8 letter that a cut went through, from a full buffer: at most four bytes.
    const fn drop_last_letter(&mut self) {
        let mut len = Self::CAPACITY;
        while len > Self::CAPACITY - 4 {
            len -= 1;
            if !is_continuation(self.bytes[len]) {
                break;
            }
        }
        self.len = len;
    }
}

const fn is_continuation(byte: u8) -> bool {
    byte & 0b1100_0000 == 0b1000_0000
}

impl Display for Excerpt {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for chunk in self.bytes.get(..self.len).unwrap_or_default().utf8_chunks() {
            for letter in chunk.valid().chars() {
                if letter.is_control() {
                    write!(f, "{}", letter.escape_default())?;
                } else {
                    f.write_char(letter)?;
                }
            }
            write!(f, "{}", chunk.invalid().escape_ascii())?;
        }
        f.write_str(if self.is_cut { "..." } else { "" })
    }
}
