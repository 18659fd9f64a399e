//! What the options amount to: a plain value.

use core::fmt::{self, Display, Formatter, Write};

use super::builder::ConfigBuilder;
use super::error::{OptionError, Problem};
use super::parse;
use super::path::ReportPath;
use super::rows::TABLE;
use super::values::{
    GuardSide, Interior, ReportFormat, Safety, SafetyAction, Simd, ToggleSignal, Track,
};

/// The longest `purge_delay`: a day. Longer ones are surely meant to be -1.
pub(super) const PURGE_DELAY_MS_MAX: i64 = 24 * 60 * 60 * 1000;

/// MiB of the ledger, at least and at most.
pub(super) const LEDGER_SIZE_MIN: i64 = 4;
pub(super) const LEDGER_SIZE_MAX: i64 = 64 << 10;

/// The most MiB of freed blocks that are kept: 64 GiB.
pub(super) const QUARANTINE_MAX: i64 = 64 << 10;

/// The greatest `safety_seed`.
pub(super) const SEED_MAX: i64 = i64::MAX;

/// The greatest `max_allocation`: 64 TiB, half of what a process can address.
pub(super) const MAX_ALLOCATION_MAX: i64 = 64 << 20;

/// How Heapsight behaves. Made by [`Config::parse`] from text, by [`Config::builder`] from code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Config {
    /// How much is remembered about what the program allocates.
    pub track: Track,
    /// Whether leaks are reported at exit.
    pub leaks: bool,
    /// The exit code of a program that leaked; 0 leaves its own alone.
    pub leaks_exitcode: u8,
    /// Where the report goes; empty means standard error.
    pub report: ReportPath,
    /// What the report looks like; `None`: as the name of its file says.
    pub report_format: Option<ReportFormat>,
    /// What a pointer into the middle of a block is worth to a search for leaks.
    pub interior: Interior,
    /// Files of leaks that are known, separated by colons; empty means none.
    pub suppressions: ReportPath,
    /// What happens on a bad free.
    pub safety: Safety,
    /// Milliseconds before unused memory goes back to the operating system: 0 at once, -1 never.
    pub purge_delay_ms: i64,
    /// An allocation of more MiB than this fails; 0: only what cannot be had fails.
    pub max_allocation_mib: u32,
    /// Whose memory routines serve.
    pub simd: Simd,
    /// How many MiB of freed blocks are kept from being reused, with [`Safety::Full`], beside the
    /// last ones that a thread freed.
    pub quarantine_mib: u32,
    /// What happens after a memory error was reported.
    pub safety_action: SafetyAction,
    /// Decides where blocks are placed, with [`Safety::Full`]; 0: random.
    pub safety_seed: u64,
    /// On which side of a block its guard is, with [`Safety::Guard`] and [`Safety::Sampled`].
    pub guard_side: GuardSide,
    /// The file of call sites that were found to go wrong; empty means none.
    pub guard_sites: ReportPath,
    /// Addresses of freed blocks are never used again, with [`Safety::Full`] or [`Safety::Guard`].
    pub never_unmap: bool,
    /// What was known of a freed block outlives the quarantine.
    pub retain_metadata: bool,
    /// The file that the process writes while it runs; empty means none.
    pub ledger: ReportPath,
    /// How many MiB the ledger may grow to.
    pub ledger_size_mib: u32,
    /// The signal that switches recording off and on; `None`: no signal does.
    pub toggle_signal: Option<ToggleSignal>,
}

impl Config {
    /// What counts when nothing is said.
    pub const DEFAULT: Self = Self {
        track: Track::Off,
        leaks: false,
        leaks_exitcode: 0,
        report: ReportPath::EMPTY,
        report_format: None,
        interior: Interior::Reaches,
        suppressions: ReportPath::EMPTY,
        safety: Safety::Basic,
        purge_delay_ms: 500,
        max_allocation_mib: 0,
        simd: Simd::Auto,
        quarantine_mib: 1,
        safety_action: SafetyAction::Abort,
        safety_seed: 0,
        guard_side: GuardSide::Right,
        guard_sites: ReportPath::EMPTY,
        never_unmap: false,
        retain_metadata: false,
        ledger: ReportPath::EMPTY,
        ledger_size_mib: 256,
        toggle_signal: None,
    };

    /// Starts from the defaults.
    ///
    /// ```
    /// use heapsight::options::{Config, Track};
    ///
    /// const CONFIG: Config = match Config::builder().leaks(true).report("leaks.json").build() {
    ///     Ok(config) => config,
    ///     Err(_) => panic!("the report path is too long"),
    /// };
    /// assert_eq!(CONFIG.track, Track::Full);
    /// ```
    pub const fn builder() -> ConfigBuilder {
        Self::DEFAULT.to_builder()
    }

    /// Starts from this configuration; what is set afterwards overrides it.
    pub const fn to_builder(self) -> ConfigBuilder {
        ConfigBuilder::from(self)
    }

    /// Reads `name=value,...`. Items that make no sense go to `on_error` and change nothing.
    ///
    /// Never allocates, locks or panics, whatever `text` holds.
    ///
    /// ```
    /// use heapsight::options::{Config, Track};
    ///
    /// let mut said = String::new();
    /// let config = Config::parse(b"track=stats,trak=off", &mut |error| said = error.to_string());
    /// assert_eq!(config.track, Track::Stats);
    /// assert_eq!(said, "heapsight: unknown option 'trak': did you mean 'track'? (ignored)");
    /// ```
    pub fn parse(text: &[u8], on_error: &mut dyn FnMut(&OptionError)) -> Self {
        Self::DEFAULT.overlay(text, on_error)
    }

    /// Reads `text` like [`Config::parse`], on top of this configuration instead of the defaults.
    #[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
    pub fn overlay(&self, text: &[u8], on_error: &mut dyn FnMut(&OptionError)) -> Self {
        let mut builder = self.to_builder();
        for setting in parse::settings(text) {
            match setting {
                Ok(setting) => setting.apply(&mut builder),
                Err(error) => on_error(&error),
            }
        }
        let mut config = builder.resolve();
        while let Some(problem) = config.contradiction() {
            on_error(&OptionError::ignored(problem));
            match problem {
                Problem::SafetyUntracked | Problem::SafetyUnsampled | Problem::SampledFewer => {
                    config.safety = Safety::Basic;
                }
                Problem::SitesUnwatched => config.guard_sites = ReportPath::EMPTY,
                Problem::Unwatched { .. } => {
                    (config.never_unmap, config.retain_metadata) = (false, false);
                }
                _ => config.leaks = false,
            }
        }
        config
    }

    /// Leaks are found among the blocks that are recorded, and only such can be watched; some of
    /// them are where some are recorded.
    pub(super) const fn contradiction(&self) -> Option<Problem> {
        match self.track {
            Track::Off if self.leaks => Some(Problem::LeaksUntracked),
            Track::Sample { .. } if self.leaks => Some(Problem::LeaksSampled),
            Track::Off | Track::Sample { .. } if self.safety.watches() => {
                Some(Problem::SafetyUntracked)
            }
            Track::Sample { bytes } => match self.safety.sampled() {
                Some(wanted) if wanted < bytes => Some(Problem::SampledFewer),
                _ => self.unwatched(),
            },
            Track::Stats | Track::Full if self.safety.sampled().is_some() => {
                Some(Problem::SafetyUnsampled)
            }
            _ => self.unwatched(),
        }
    }

    /// What needs blocks that are watched, where none are.
    const fn unwatched(&self) -> Option<Problem> {
        let is_sampled = self.safety.sampled().is_some();
        match self.safety.watches() {
            false if !is_sampled && !self.guard_sites.is_empty() => Some(Problem::SitesUnwatched),
            false if self.never_unmap => Some(Problem::Unwatched { name: "never_unmap" }),
            false if self.retain_metadata => Some(Problem::Unwatched { name: "retain_metadata" }),
            _ => None,
        }
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::DEFAULT
    }
}

/// Shows every option in a form that [`Config::parse`] reads back. Bytes of the report path that
/// are not UTF-8 are shown as the replacement character.
impl Display for Config {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for (index, row) in TABLE.iter().enumerate() {
            if index > 0 {
                f.write_char(',')?;
            }
            write!(f, "{}={}", row.name, row.of(self))?;
        }
        Ok(())
    }
}
