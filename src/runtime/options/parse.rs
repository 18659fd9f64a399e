//! From text to settings.
//!
//! A backslash protects the byte behind it everywhere, so an item ends at the first bare comma
//! and trimming stops at a protected space. Only paths take the backslashes out again; no word and
//! no number needs one.

use super::builder::ConfigBuilder;
use super::config::Config;
use super::error::{OptionError, Problem};
use super::path::ReportPath;
use super::size;
use super::table::{Choice, Number, OptionRow, PathSlot, Size, Values, row};
use super::values::Track;

/// The items of `text`, each a setting or the reason why it is none.
pub fn settings(text: &[u8]) -> Settings<'_> {
    Settings { rest: text }
}

/// Iterates over the settings in a text; made by [`settings`].
#[derive(Clone, Debug)]
pub struct Settings<'a> {
    rest: &'a [u8],
}

impl Iterator for Settings<'_> {
    type Item = Result<Setting, OptionError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.rest.is_empty() {
            let (item, rest) = split_item(self.rest);
            self.rest = rest;
            let item = trim(item);
            if !item.is_empty() {
                return Some(Setting::parse(item).map_err(OptionError::ignored));
            }
        }
        None
    }
}

/// One option and the value it is to have.
#[derive(Clone, Copy, Debug)]
pub struct Setting {
    row: &'static OptionRow,
    value: Value,
}

/// A value that the table accepts, with the column it goes to.
#[expect(clippy::large_enum_variant, reason = "there is nowhere to box a path: no allocation")]
#[derive(Clone, Copy, Debug)]
enum Value {
    Word(&'static Choice, Option<(&'static Size, u64)>),
    Number(&'static Number, i64),
    Path(&'static PathSlot, ReportPath),
}

impl Setting {
    /// The option's row of the table.
    pub fn row(&self) -> &'static OptionRow {
        self.row
    }

    pub(super) fn apply(&self, builder: &mut ConfigBuilder) {
        match &self.value {
            Value::Word(_, Some((size, bytes))) => (size.set)(builder, *bytes),
            Value::Word(choice, None) => (choice.set)(builder),
            Value::Number(column, number) => (column.set)(builder, *number),
            Value::Path(column, path) => (column.set)(builder, *path),
        }
    }

    fn parse(item: &[u8]) -> Result<Self, Problem> {
        let mut halves = item.splitn(2, |&byte| byte == b'=');
        let name = trim(halves.next().unwrap_or_default());
        let row = row(name).ok_or_else(|| Problem::unknown_option(name))?;
        let text = trim(halves.next().ok_or(Problem::MissingValue { row })?);
        Self::of(row, text)
    }

    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    fn of(row: &'static OptionRow, text: &[u8]) -> Result<Self, Problem> {
        let value = match &row.values {
            Values::Words(choices) => read_word(row, choices, text)?,
            Values::Number(number) => Value::Number(number, read_number(row, number, text)?),
            Values::Path(slot) => Value::Path(slot, read_path(row, text)?),
        };
        Ok(Self { row, value })
    }
}

impl Track {
    /// Reads the value of the option `track`: `off`, `stats`, `sample`, `sample:64K` or `full`.
    ///
    /// ```
    /// use heapsight::options::Track;
    ///
    /// assert_eq!(Track::parse(b"sample:64K").unwrap(), Track::Sample { bytes: 65_536 });
    /// assert!(Track::parse(b"ful").is_err());
    /// ```
    pub fn parse(text: &[u8]) -> Result<Self, OptionError> {
        let row = row(b"track").ok_or_else(|| Problem::unknown_option(b"track"));
        let setting = row.and_then(|row| Setting::of(row, trim(text)));
        let mut builder = Config::builder();
        setting.map_err(OptionError::refused)?.apply(&mut builder);
        builder.build().map(|config| config.track)
    }
}

fn read_word(
    row: &'static OptionRow,
    choices: &'static [Choice],
    text: &[u8],
) -> Result<Value, Problem> {
    let mut parts = text.splitn(2, |byte| *byte == b':');
    let (word, argument) = (parts.next().unwrap_or_default(), parts.next());
    let choice = choices.iter().find(|choice| choice.word.as_bytes() == word);
    match (choice, choice.and_then(|choice| choice.size.as_ref()), argument) {
        (Some(choice), _, None) => Ok(Value::Word(choice, None)),
        (Some(choice), Some(range), Some(argument)) => {
            let bytes =
                size::read(argument).filter(|bytes| (range.min..=range.max).contains(bytes));
            let bytes = bytes.ok_or_else(|| Problem::bad_size(row, choice, range, argument))?;
            Ok(Value::Word(choice, Some((range, bytes))))
        }
        _ => Err(Problem::bad_value(row, text)),
    }
}

fn read_number(row: &'static OptionRow, range: &Number, text: &[u8]) -> Result<i64, Problem> {
    let digits = core::str::from_utf8(text).ok();
    let number = digits.and_then(|digits| digits.parse::<i64>().ok());
    let number = number.ok_or_else(|| Problem::bad_value(row, text))?;
    if (range.min..=range.max).contains(&number) {
        Ok(number)
    } else {
        Err(Problem::OutOfRange { name: row.name, number, min: range.min, max: range.max })
    }
}

fn read_path(row: &'static OptionRow, text: &[u8]) -> Result<ReportPath, Problem> {
    let path = ReportPath::collect(Unescaped { rest: text });
    path.map_err(|reason| Problem::bad_path(row.name, text, reason))
}

/// The bytes of `value`, written so that [`settings`] reads them back as one path.
pub fn escape(value: &[u8]) -> impl Iterator<Item = u8> + '_ {
    value.iter().enumerate().flat_map(|(index, &byte)| {
        let backslash = needs_escape(byte, index, value.len()).then_some(b'\\');
        backslash.into_iter().chain([byte])
    })
}

/// Whether the byte at `index` of a value of `len` bytes would be read as something else.
pub(super) fn needs_escape(byte: u8, index: usize, len: usize) -> bool {
    let at_an_end = index == 0 || index + 1 == len;
    matches!(byte, b',' | b'\\') || (at_an_end && byte.is_ascii_whitespace())
}

/// The bytes of a value without the backslashes that protect them. A backslash at the very end
/// protects nothing and stands for itself.
struct Unescaped<'a> {
    rest: &'a [u8],
}

impl Iterator for Unescaped<'_> {
    type Item = u8;

    fn next(&mut self) -> Option<u8> {
        let (byte, rest) = match self.rest {
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => (*byte, rest),
            [] => return None,
        };
        self.rest = rest;
        Some(byte)
    }
}

/// Cuts `text` at its first bare comma, which belongs to neither part.
fn split_item(text: &[u8]) -> (&[u8], &[u8]) {
    let mut protected = false;
    for (index, &byte) in text.iter().enumerate() {
        if byte == b',' && !protected {
            let (item, rest) = text.split_at_checked(index).unwrap_or((text, &[]));
            return (item, rest.get(1..).unwrap_or_default());
        }
        protected = byte == b'\\' && !protected;
    }
    (text, &[])
}

/// `text` without the bare white space at its ends.
fn trim(text: &[u8]) -> &[u8] {
    let text = text.trim_ascii_start();
    let trimmed = text.trim_ascii_end();
    let backslashes = trimmed.iter().rev().take_while(|&&byte| byte == b'\\').count();
    let kept = trimmed.len() + backslashes % 2;
    text.get(..kept).unwrap_or(text)
}
