//! The builder of a configuration.
//!
//! It remembers which options were given, because one rule needs to know: `leaks=on`, a `ledger`
//! and
//! `safety=full` mean `track=full` unless somebody chose how to track. The parser fills the same
//! builder, so the rule exists once.

use super::config::{
    Config, LEDGER_SIZE_MAX, LEDGER_SIZE_MIN, MAX_ALLOCATION_MAX, PURGE_DELAY_MS_MAX,
    QUARANTINE_MAX, SEED_MAX,
};
use super::error::{OptionError, Problem};
use super::path::ReportPath;
use super::values::{
    GuardSide, Interior, ReportFormat, SAMPLE_BYTES_MAX, Safety, SafetyAction, ToggleSignal, Track,
};

/// Collects settings; [`ConfigBuilder::build`] turns them into a [`Config`].
#[derive(Clone, Copy, Debug)]
pub struct ConfigBuilder {
    /// Everything but `track` and `leaks` is set here at once.
    pub(super) base: Config,
    track: Option<Track>,
    leaks: Option<bool>,
    /// A ledger was given.
    has_ledger: bool,
    /// A safety was given.
    has_safety: bool,
    /// A file of guarded sites was given.
    pub(super) has_guard_sites: bool,
    pub(super) problem: Option<Problem>,
}

impl ConfigBuilder {
    pub(super) const fn from(base: Config) -> Self {
        Self {
            base,
            track: None,
            leaks: None,
            has_ledger: false,
            has_safety: false,
            has_guard_sites: false,
            problem: None,
        }
    }

    /// How much is remembered about what the program allocates.
    pub const fn track(mut self, track: Track) -> Self {
        if let Track::Sample { bytes } = track
            && (bytes < 1 || bytes > SAMPLE_BYTES_MAX)
        {
            self.problem = Some(Problem::SizeOutOfRange {
                name: "track",
                word: "sample",
                bytes,
                min: 1,
                max: SAMPLE_BYTES_MAX,
            });
        } else {
            self.with_track(track);
        }
        self
    }

    /// Whether leaks are reported at exit. `true` implies [`Track::Full`] unless
    /// [`ConfigBuilder::track`] is called too.
    pub const fn leaks(mut self, leaks: bool) -> Self {
        self.with_leaks(leaks);
        self
    }

    /// The exit code of a program that leaked; 0 leaves its own alone.
    pub const fn leaks_exitcode(mut self, code: u8) -> Self {
        self.base.leaks_exitcode = code;
        self
    }

    /// Where the report goes; empty means standard error. Its ending says what it looks like
    /// ([`ReportFormat::of_name`]); `%p` becomes the process id.
    pub const fn report(mut self, path: &str) -> Self {
        match ReportPath::new(path.as_bytes()) {
            Ok(path) => self.base.report = path,
            Err(reason) => {
                self.problem = Some(Problem::bad_path("report", path.as_bytes(), reason))
            }
        }
        self
    }

    /// What the report looks like; `None`: as the name of its file says.
    pub const fn report_format(mut self, format: Option<ReportFormat>) -> Self {
        self.with_report_format(format);
        self
    }

    /// What a pointer into the middle of a block is worth to a search for leaks.
    pub const fn interior(mut self, interior: Interior) -> Self {
        self.with_interior(interior);
        self
    }

    /// Files of leaks that are known and do not count, separated by colons.
    pub const fn suppressions(mut self, paths: &str) -> Self {
        match ReportPath::new(paths.as_bytes()) {
            Ok(paths) => self.base.suppressions = paths,
            Err(reason) => {
                self.problem = Some(Problem::bad_path("suppressions", paths.as_bytes(), reason))
            }
        }
        self
    }

    /// Sets the file that the process writes while it runs; empty means none.
    #[must_use]
    pub const fn ledger(mut self, path: &str) -> Self {
        match ReportPath::new(path.as_bytes()) {
            Ok(path) => {
                self.has_ledger = !path.is_empty();
                self.base.ledger = path;
            }
            Err(reason) => {
                self.problem = Some(Problem::bad_path("ledger", path.as_bytes(), reason))
            }
        }
        self
    }

    /// Sets how many MiB the ledger may grow to: 4 to 65536.
    #[must_use]
    pub const fn ledger_size_mib(mut self, mebibytes: u32) -> Self {
        let number = mebibytes as i64;
        if number < LEDGER_SIZE_MIN || number > LEDGER_SIZE_MAX {
            self.problem = Some(Problem::OutOfRange {
                name: "ledger_size",
                number,
                min: LEDGER_SIZE_MIN,
                max: LEDGER_SIZE_MAX,
            });
        } else {
            self.base.ledger_size_mib = mebibytes;
        }
        self
    }

    /// Sets the signal that switches recording off and on; `None`: no signal does.
    #[must_use]
    pub const fn toggle_signal(mut self, signal: Option<ToggleSignal>) -> Self {
        self.with_toggle_signal(signal);
        self
    }

    /// Which memory errors are found.
    pub const fn safety(mut self, safety: Safety) -> Self {
        if let Safety::Sampled { bytes } = safety
            && (bytes < 1 || bytes > SAMPLE_BYTES_MAX)
        {
            self.problem = Some(Problem::SizeOutOfRange {
                name: "safety",
                word: "sampled",
                bytes,
                min: 1,
                max: SAMPLE_BYTES_MAX,
            });
        } else {
            self.with_safety(safety);
        }
        self
    }

    /// Milliseconds before unused memory goes back to the operating system: 0 at once, -1 never,
    /// at most a day.
    pub const fn purge_delay_ms(mut self, delay_ms: i64) -> Self {
        if delay_ms < -1 || delay_ms > PURGE_DELAY_MS_MAX {
            self.problem = Some(Problem::OutOfRange {
                name: "purge_delay",
                number: delay_ms,
                min: -1,
                max: PURGE_DELAY_MS_MAX,
            });
        } else {
            self.base.purge_delay_ms = delay_ms;
        }
        self
    }

    /// An allocation of more MiB than this fails, at most 2^26; 0: only what cannot be had fails.
    #[must_use]
    pub const fn max_allocation_mib(mut self, mebibytes: u32) -> Self {
        let number = mebibytes as i64;
        if number > MAX_ALLOCATION_MAX {
            let (min, max) = (0, MAX_ALLOCATION_MAX);
            self.problem = Some(Problem::OutOfRange { name: "max_allocation", number, min, max });
        } else {
            self.base.max_allocation_mib = mebibytes;
        }
        self
    }

    /// How many MiB of freed blocks are kept from being reused with [`Safety::Full`], at most
    /// 65536; and the last ones that a thread freed in any case, if they have at most 16 MiB.
    #[must_use]
    pub const fn quarantine_mib(mut self, mebibytes: u32) -> Self {
        let number = mebibytes as i64;
        if number > QUARANTINE_MAX {
            let (min, max) = (0, QUARANTINE_MAX);
            self.problem = Some(Problem::OutOfRange { name: "quarantine", number, min, max });
        } else {
            self.base.quarantine_mib = mebibytes;
        }
        self
    }

    /// What happens after a memory error was reported.
    #[must_use]
    pub const fn safety_action(mut self, action: SafetyAction) -> Self {
        self.with_safety_action(action);
        self
    }

    /// Decides where blocks are placed with [`Safety::Full`], at most `i64::MAX`; 0: random.
    #[must_use]
    pub const fn safety_seed(mut self, seed: u64) -> Self {
        if seed > SEED_MAX as u64 {
            let (min, max) = (0, SEED_MAX);
            self.problem = Some(Problem::OutOfRange { name: "safety_seed", number: -1, min, max });
        } else {
            self.base.safety_seed = seed;
        }
        self
    }

    /// On which side of a block its guard is, with [`Safety::Guard`] and [`Safety::Sampled`].
    #[must_use]
    pub const fn guard_side(mut self, side: GuardSide) -> Self {
        self.with_guard_side(side);
        self
    }

    /// Whether addresses of freed blocks are never used again. Implies [`Safety::Full`] unless
    /// [`ConfigBuilder::safety`] is called too.
    #[must_use]
    pub const fn never_unmap(mut self, never: bool) -> Self {
        self.with_never_unmap(never);
        self
    }

    /// Whether what was known of a freed block outlives the quarantine. Implies [`Safety::Full`]
    /// unless [`ConfigBuilder::safety`] is called too.
    #[must_use]
    pub const fn retain_metadata(mut self, retain: bool) -> Self {
        self.with_retain_metadata(retain);
        self
    }

    /// The configuration. Fails when a setting was out of bounds, or when leaks or a watching
    /// safety are asked for with tracking off.
    pub const fn build(self) -> Result<Config, OptionError> {
        let config = self.resolve();
        match self.problem {
            Some(problem) => Err(OptionError::refused(problem)),
            None => match config.contradiction() {
                Some(problem) => Err(OptionError::refused(problem)),
                None => Ok(config),
            },
        }
    }

    /// Applies the rules that involve two options.
    pub(super) const fn resolve(self) -> Config {
        let mut config = self.base;
        if !self.has_safety {
            if config.never_unmap || config.retain_metadata {
                config.safety = Safety::Full;
            } else if self.has_guard_sites && !config.safety.watches() {
                config.safety = Safety::SAMPLED;
            }
        }
        if let Some(leaks) = self.leaks {
            config.leaks = leaks;
        }
        match (self.track, self.leaks) {
            (Some(track), _) => config.track = track,
            (None, Some(true)) => config.track = Track::Full,
            (None, _) => match config.safety {
                Safety::Sampled { bytes } if self.has_ledger => {
                    config.track = Track::Sample { bytes };
                }
                _ if self.has_ledger || config.safety.watches() => config.track = Track::Full,
                _ => {}
            },
        }
        config
    }
}

/// What the rows of the table call. The parser has checked the value by then.
impl ConfigBuilder {
    pub(super) const fn with_track(&mut self, track: Track) {
        self.track = Some(track);
    }

    pub(super) const fn with_leaks(&mut self, leaks: bool) {
        self.leaks = Some(leaks);
    }

    pub(super) fn with_leaks_exitcode(&mut self, code: i64) {
        debug_assert!(u8::try_from(code).is_ok());
        self.base.leaks_exitcode = code.clamp(0, u8::MAX as i64) as u8;
    }

    pub(super) fn with_report(&mut self, path: ReportPath) {
        self.base.report = path;
    }

    pub(super) const fn with_report_format(&mut self, format: Option<ReportFormat>) {
        self.base.report_format = format;
    }

    pub(super) const fn with_interior(&mut self, interior: Interior) {
        self.base.interior = interior;
    }

    pub(super) fn with_suppressions(&mut self, paths: ReportPath) {
        self.base.suppressions = paths;
    }

    pub(super) fn with_ledger(&mut self, path: ReportPath) {
        self.has_ledger = !path.is_empty();
        self.base.ledger = path;
    }

    pub(super) fn with_ledger_size(&mut self, mebibytes: i64) {
        let clamped = mebibytes.clamp(LEDGER_SIZE_MIN, LEDGER_SIZE_MAX);
        self.base.ledger_size_mib = clamped as u32;
    }

    pub(super) const fn with_toggle_signal(&mut self, signal: Option<ToggleSignal>) {
        self.base.toggle_signal = signal;
    }

    pub(super) const fn with_safety(&mut self, safety: Safety) {
        self.has_safety = true;
        self.base.safety = safety;
    }

    pub(super) fn with_purge_delay_ms(&mut self, delay_ms: i64) {
        self.base.purge_delay_ms = delay_ms;
    }

    pub(super) fn with_max_allocation(&mut self, mebibytes: i64) {
        self.base.max_allocation_mib = mebibytes.clamp(0, MAX_ALLOCATION_MAX) as u32;
    }

    pub(super) fn with_quarantine(&mut self, mebibytes: i64) {
        self.base.quarantine_mib = mebibytes.clamp(0, QUARANTINE_MAX) as u32;
    }

    pub(super) const fn with_safety_action(&mut self, action: SafetyAction) {
        self.base.safety_action = action;
    }

    pub(super) fn with_safety_seed(&mut self, seed: i64) {
        self.base.safety_seed = seed.max(0) as u64;
    }

    pub(super) const fn with_guard_side(&mut self, side: GuardSide) {
        self.base.guard_side = side;
    }

    pub(super) const fn with_never_unmap(&mut self, never: bool) {
        self.base.never_unmap = never;
    }

    pub(super) const fn with_retain_metadata(&mut self, retain: bool) {
        self.base.retain_metadata = retain;
    }
}
