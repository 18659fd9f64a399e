//! Which options the program gets: what the environment holds, then what was typed.
//!
//! The result is the text of a `HEAPSIGHT` variable. A wrong option that was typed just now is an
//! error, not the warning it is when a program starts with one.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;

use heapsight::options::{Config, OptionError, Reason, Safety, escape, settings};

use crate::args::RunArgs;

/// What happens if nobody says what should: the main job.
const DEFAULT: &[u8] = b"leaks=on";

/// The options that say what should happen.
const PURPOSES: [&str; 3] = ["track", "leaks", "ledger"];

/// A text of options that is free of errors.
#[derive(Debug)]
pub(crate) struct Settings {
    text: Vec<u8>,
}

/// An option that is wrong.
#[derive(Debug)]
pub(crate) struct SettingsError {
    error: OptionError,
    origin: &'static str,
}

impl Settings {
    /// Puts together what the environment variable holds and what was typed, which wins.
    pub(crate) fn gather(inherited: Option<&OsStr>, args: &RunArgs) -> Result<Self, SettingsError> {
        let mut gathered = Self { text: Vec::new() };
        if let Some(text) = inherited {
            gathered.push(text.as_bytes(), " (in the environment variable HEAPSIGHT)")?;
        }
        for text in &args.options {
            gathered.push(text.as_bytes(), "")?;
        }
        for text in flags(args) {
            gathered.push(&text, "")?;
        }
        // Samples leave most blocks alone: no search for leaks goes with them.
        let is_sampled = matches!(gathered.config()?.safety, Safety::Sampled { .. });
        if !gathered.states_a_purpose() && !is_sampled {
            gathered.push(DEFAULT, "")?;
        }
        Ok(gathered)
    }

    /// What the settings amount to.
    pub(crate) fn config(&self) -> Result<Config, SettingsError> {
        read(&self.text, "")
    }

    /// Replaces the path that the option called `name` holds.
    pub(crate) fn set_path(&mut self, name: &str, path: &Path) -> Result<(), SettingsError> {
        self.push(&item(name, path.as_os_str().as_bytes()), "")
    }

    /// The value of `HEAPSIGHT`.
    pub(crate) fn into_variable(self) -> OsString {
        OsString::from_vec(self.text)
    }

    fn push(&mut self, text: &[u8], origin: &'static str) -> Result<(), SettingsError> {
        read(text, origin)?;
        if !self.text.is_empty() {
            self.text.push(b',');
        }
        self.text.extend_from_slice(text);
        // A backslash at the very end stands for itself, but would protect a comma put behind it.
        let backslashes = text.iter().rev().take_while(|&&byte| byte == b'\\').count();
        if backslashes % 2 == 1 {
            self.text.push(b'\\');
        }
        Ok(())
    }

    fn states_a_purpose(&self) -> bool {
        settings(&self.text).flatten().any(|setting| PURPOSES.contains(&setting.row().name))
    }
}

impl std::error::Error for SettingsError {}

impl std::fmt::Display for SettingsError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason: Reason<'_> = self.error.reason();
        write!(f, "{reason}{}", self.origin)
    }
}

/// Reads options; fails on the first that is wrong.
fn read(text: &[u8], origin: &'static str) -> Result<Config, SettingsError> {
    let mut first = None;
    let config = Config::parse(text, &mut |error| first = first.or(Some(*error)));
    match first {
        Some(error) => Err(SettingsError { error, origin }),
        None => Ok(config),
    }
}

/// The flags of `run` that set an option, each as an item.
fn flags(args: &RunArgs) -> impl Iterator<Item = Vec<u8>> {
    let word =
        |name, value: &Option<String>| value.as_ref().map(|word| item(name, word.as_bytes()));
    let number = |name, value: Option<i64>| value.map(|n| item(name, n.to_string().as_bytes()));
    [
        word("track", &args.track),
        word("leaks", &args.leaks),
        number("leaks_exitcode", args.leaks_exitcode),
        args.report.as_ref().map(|path| item("report", path.as_bytes())),
        word("report_format", &args.report_format),
        word("interior", &args.interior),
        args.suppressions.as_ref().map(|paths| item("suppressions", paths.as_bytes())),
        args.ledger.as_ref().map(|path| item("ledger", path.as_bytes())),
        number("ledger_size", args.ledger_size),
        word("toggle_signal", &args.toggle_signal),
        word("safety", &args.safety),
        number("purge_delay", args.purge_delay),
        number("max_allocation", args.max_allocation),
        word("simd", &args.simd),
        number("quarantine", args.quarantine),
        word("safety_action", &args.safety_action),
        number("safety_seed", args.safety_seed),
        word("guard_side", &args.guard_side),
        args.guard_sites.as_ref().map(|path| item("guard_sites", path.as_bytes())),
        number("never_unmap", args.never_unmap),
        number("retain_metadata", args.retain_metadata),
    ]
    .into_iter()
    .flatten()
}

fn item(name: &str, value: &[u8]) -> Vec<u8> {
    name.bytes().chain(*b"=").chain(escape(value)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    /// The variable for a program started by `heapsight run FLAGS ls` under HEAPSIGHT=`inherited`.
    fn gather(inherited: &str, flags: &[&str]) -> Result<OsString, String> {
        let line = [&["heapsight", "run"], flags, &["ls"]].concat();
        let Command::Run(args) = Args::try_parse_from(line).unwrap().command else {
            panic!("run was typed")
        };
        let settings = Settings::gather(Some(OsStr::new(inherited)), &args);
        let settings = settings.and_then(|settings| settings.config().map(|_| settings));
        settings.map(Settings::into_variable).map_err(|error| error.to_string())
    }

    #[test]
    fn leaks_are_reported_unless_something_else_is_asked_for() {
        assert_eq!(gather("", &[]).unwrap(), "leaks=on");
        assert_eq!(gather("safety=off", &[]).unwrap(), "safety=off,leaks=on");
        assert_eq!(gather("track=stats", &[]).unwrap(), "track=stats");
        assert_eq!(gather("", &["--track", "full"]).unwrap(), "track=full");
        assert_eq!(gather("", &["--ledger", "/l"]).unwrap(), "ledger=/l");
        assert_eq!(gather("", &["--ledger-size", "8"]).unwrap(), "ledger_size=8,leaks=on");
        assert_eq!(gather("", &["-o", "leaks=off"]).unwrap(), "leaks=off");
        assert_eq!(gather("", &["--safety=sampled:1M"]).unwrap(), "safety=sampled:1M");
        assert_eq!(gather("", &["--guard-sites=/a"]).unwrap(), "guard_sites=/a");
    }

    #[test]
    fn what_is_typed_comes_last() {
        let variable = gather("track=off", &["--track=full", "-o", "track=stats", "--leaks=on"]);
        assert_eq!(variable.unwrap(), "track=off,track=stats,track=full,leaks=on");
    }

    #[test]
    fn a_path_keeps_its_commas_and_backslashes() {
        assert_eq!(gather(r"report=a\", &["--leaks=off"]).unwrap(), r"report=a\\,leaks=off");
        assert_eq!(gather("", &["--report=a,b", "--leaks=on"]).unwrap(), r"leaks=on,report=a\,b");
    }

    #[test]
    fn a_wrong_option_is_an_error_that_says_where_it_is() {
        assert_eq!(
            gather("trak=full", &[]).unwrap_err(),
            "unknown option 'trak': did you mean 'track'? (in the environment variable HEAPSIGHT)"
        );
        assert_eq!(
            gather("", &["-o", "leaks=onn"]).unwrap_err(),
            "bad value 'onn' for option 'leaks': use off or on"
        );
        assert_eq!(
            gather("leaks=on", &["--track=off"]).unwrap_err(),
            "'leaks=on' finds nothing with 'track=off': use 'track=full'"
        );
    }
}
