//! By which rules leaks are looked for: what the configuration says, what the program says, and
//! which leaks are known.

use super::lsan::Settings;
use super::options::{self, Config};
use crate::leak::terms::{Interior, Terms};
use crate::os::process;
use crate::report::Modules;
use crate::report::suppress::Suppressions;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::{format, fs, io};

/// See the module.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) terms: Terms<'static>,
    pub(super) suppressions: Suppressions,
}

impl Rules {
    /// The rules in force. What is wrong with suppressions is said on stderr.
    pub(super) fn of(config: &Config, settings: &Settings, modules: &Modules) -> Self {
        let interior = match config.interior {
            options::Interior::Reaches => Interior::Reaches,
            options::Interior::Possible => Interior::Possible,
        };
        let terms = Terms { interior, ..Terms::USUAL };
        let mut rules = Self { terms, suppressions: Suppressions::default() };
        for path in paths(config.suppressions.as_bytes()) {
            rules.add_suppressions_of(path);
        }
        settings.add_to(&mut rules, modules);
        rules
    }

    /// Adds the suppressions of a file. One that cannot be read suppresses nothing.
    pub(super) fn add_suppressions_of(&mut self, path: &Path) {
        match fs::read(path) {
            Ok(text) => self.add_suppressions(&text, &path.to_string_lossy()),
            Err(error) => complain(path, &error),
        }
    }

    /// Adds the suppressions of a text, which messages call `origin`.
    pub(super) fn add_suppressions(&mut self, text: &[u8], origin: &str) {
        self.suppressions.add(text, origin, &mut |problem| {
            process::write(2, format!("heapsight: {problem} (ignored)\n").as_bytes());
        });
    }
}

/// Looks at the files of suppressions early, so that one that cannot be read is known before the
/// program has run.
pub(super) fn prepare(config: &Config) {
    for path in paths(config.suppressions.as_bytes()) {
        if let Err(error) = fs::File::open(path) {
            complain(path, &error);
        }
    }
}

/// The paths between colons.
fn paths(list: &[u8]) -> impl Iterator<Item = &Path> {
    let items = list.split(|byte| *byte == b':').filter(|item| !item.is_empty());
    items.map(|item| Path::new(OsStr::from_bytes(item)))
}

fn complain(path: &Path, error: &io::Error) {
    let line = format!(
        "heapsight: cannot read the suppressions in {}: {error}: none of them counts\n",
        path.display()
    );
    process::write(2, line.as_bytes());
}
