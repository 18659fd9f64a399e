//! Values of options that are words, perhaps with a size behind a colon.

use clap::builder::{PossibleValue, PossibleValuesParser, StringValueParser, TypedValueParser};
use clap::error::ErrorKind;
use clap::{Arg, Command, Error};
use heapsight::options::{Choice, Config, OptionError, Values, row};
use std::ffi::OsStr;

/// Accepts what the table accepts for one option.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Words {
    name: &'static str,
    choices: &'static [Choice],
}

/// The words of the option called `name`.
pub(crate) fn words(name: &'static str) -> Words {
    let choices = match row(name.as_bytes()).map(|row| row.values) {
        Some(Values::Words(choices)) => choices,
        _ => &[],
    };
    Words { name, choices }
}

impl TypedValueParser for Words {
    type Value = String;

    fn parse_ref(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
    ) -> Result<String, Error> {
        let text = StringValueParser::new().parse_ref(command, arg, value)?;
        let mut wrong = None;
        let setting = format!("{}={text}", self.name);
        Config::parse(setting.as_bytes(), &mut |error| wrong = wrong.or(Some(*error)));
        match wrong {
            None if !text.contains(',') => Ok(text),
            wrong => self.refuse(command, arg, value, wrong),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |choice: &Choice| PossibleValue::new(choice.to_string()).help(choice.doc);
        Some(Box::new(self.choices.iter().map(value)))
    }
}

impl Words {
    /// The table knows what is wrong with a size; of words, clap knows the similar ones.
    fn refuse(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        value: &OsStr,
        wrong: Option<OptionError>,
    ) -> Result<String, Error> {
        let mut sized = self.choices.iter().filter(|choice| choice.size.is_some());
        let is_sized = sized.any(|choice| {
            let rest = value.as_encoded_bytes().strip_prefix(choice.word.as_bytes());
            rest.is_some_and(|rest| rest.starts_with(b":"))
        });
        match wrong {
            Some(wrong) if is_sized => {
                let line = format!("{}\n", wrong.reason());
                Err(Error::raw(ErrorKind::ValueValidation, line).with_cmd(command))
            }
            _ => {
                let words = self.choices.iter().map(|choice| choice.word);
                PossibleValuesParser::new(words).parse_ref(command, arg, value)
            }
        }
    }
}
