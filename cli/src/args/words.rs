//! Values of options that are words, perhaps with a size behind a colon.

use clap::builder::{PossibleValue, StringValueParser, TypedValueParser};
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Arg, Command, Error};
use heapsight::options::{Choice, Config, Values, row};
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
            wrong => Err(self.refusal(command, arg, &text, wrong.map(|e| e.reason().to_string()))),
        }
    }

    fn possible_values(&self) -> Option<Box<dyn Iterator<Item = PossibleValue> + '_>> {
        let value = |choice: &Choice| PossibleValue::new(choice.word).help(choice.doc);
        Some(Box::new(self.choices.iter().map(value)))
    }
}

impl Words {
    fn refusal(
        &self,
        command: &Command,
        arg: Option<&Arg>,
        text: &str,
        reason: Option<String>,
    ) -> Error {
        let known = self
            .choices
            .iter()
            .any(|choice| choice.size.is_some() && text.split(':').next() == Some(choice.word));
        if let Some(reason) = reason.filter(|_| known) {
            return Error::raw(ErrorKind::ValueValidation, format!("{reason}\n")).with_cmd(command);
        }
        let mut error = Error::new(ErrorKind::InvalidValue).with_cmd(command);
        if let Some(arg) = arg {
            error.insert(ContextKind::InvalidArg, ContextValue::String(arg.to_string()));
        }
        error.insert(ContextKind::InvalidValue, ContextValue::String(text.to_owned()));
        let words = self.choices.iter().map(|choice| choice.word.to_owned()).collect();
        error.insert(ContextKind::ValidValue, ContextValue::Strings(words));
        error
    }
}
