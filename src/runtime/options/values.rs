//! What options with words may be.

use super::builder::ConfigBuilder;
use super::error::Problem;
use super::path::ReportPath;

/// Mean bytes between two samples when nothing is said: Go's and jemalloc's choice.
pub(super) const SAMPLE_BYTES: u64 = 512 << 10;
/// The most of them: a gibibyte.
pub(super) const SAMPLE_BYTES_MAX: u64 = 1 << 30;

/// How much is remembered about what the program allocates.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Track {
    /// Nothing.
    Off,
    /// Counts and bytes.
    Stats,
    /// Some blocks with their call stacks, drawn at random; counters are unbiased estimates.
    Sample {
        /// Mean bytes between two samples, 1 to a gibibyte; [`Track::SAMPLE`] has the usual ones.
        bytes: u64,
    },
    /// Counts and bytes, and the call stack, size and thread of every live block.
    Full,
}

impl Track {
    /// Samples as `track=sample` draws them: 512 KiB apart on average.
    pub const SAMPLE: Self = Self::Sample { bytes: SAMPLE_BYTES };
}

/// A signal that switches recording off and on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ToggleSignal {
    /// SIGUSR1.
    Usr1,
    /// SIGUSR2.
    Usr2,
    /// SIGHUP.
    Hup,
    /// SIGURG: a process that has no handler for it ignores it.
    Urg,
}

/// Which memory errors are found, and what happens then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Safety {
    /// The free is ignored.
    Off,
    /// The free is reported and the program aborts.
    Basic,
    /// Also writes past the ends of blocks and after their end, and frees by the wrong function.
    Full,
    /// Also each block lies beside pages that nobody can touch: what steps over its edge, or reads
    /// or writes it after its end, stops there.
    Guard,
    /// As `Guard`, some blocks, drawn at random, so few that a program in production can bear it.
    Sampled {
        /// Mean bytes between two that are drawn, 1 to a gibibyte; [`Safety::SAMPLED`] has the
        /// usual ones.
        bytes: u64,
    },
}

impl Safety {
    /// Some blocks, as `safety=sampled` draws them: 512 KiB apart on average.
    pub const SAMPLED: Self = Self::Sampled { bytes: SAMPLE_BYTES };

    /// Whether every block is watched from its allocation on.
    pub(crate) const fn watches(self) -> bool {
        matches!(self, Self::Full | Self::Guard)
    }

    /// The mean bytes between two blocks that are drawn to be watched, if not all are.
    pub(crate) const fn sampled(self) -> Option<u64> {
        match self {
            Self::Sampled { bytes } => Some(bytes),
            _ => None,
        }
    }
}

/// What happens after a memory error was reported.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SafetyAction {
    /// The process aborts.
    Abort,
    /// The program goes on, as if it had not made the mistake, as far as that can be done.
    Report,
    /// The function that the program has named is called; then the program goes on. Without one the
    /// process aborts.
    Callback,
}

/// On which side of a block its guard is, with [`Safety::Guard`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GuardSide {
    /// Behind it, as near as its alignment allows.
    Right,
    /// Behind it, at once: blocks of C and C++ whose size is odd are not aligned.
    Exact,
    /// Before it.
    Left,
}

/// Whose memory routines serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Simd {
    /// The best of this processor; the platform's where ours win nothing.
    Auto,
    /// 64 bytes at a time.
    Avx512,
    /// 32 bytes at a time.
    Avx2,
    /// 16 bytes at a time.
    Sse2,
    /// 16 bytes at a time, of aarch64.
    Neon,
    /// The platform's.
    Off,
}

impl Simd {
    /// As one writes it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Avx512 => "avx512",
            Self::Avx2 => "avx2",
            Self::Sse2 => "sse2",
            Self::Neon => "neon",
            Self::Off => "off",
        }
    }
}

impl ConfigBuilder {
    /// Whose memory routines serve.
    #[must_use]
    pub const fn simd(mut self, simd: Simd) -> Self {
        self.with_simd(simd);
        self
    }

    /// The file of call sites that were found to go wrong, which [`Safety::Sampled`] puts under
    /// guard. Implies [`Safety::SAMPLED`] unless [`ConfigBuilder::safety`] is called too.
    #[must_use]
    pub const fn guard_sites(mut self, path: &str) -> Self {
        match ReportPath::new(path.as_bytes()) {
            Ok(path) => {
                self.has_guard_sites = !path.is_empty();
                self.base.guard_sites = path;
            }
            Err(reason) => {
                self.problem = Some(Problem::bad_path("guard_sites", path.as_bytes(), reason))
            }
        }
        self
    }

    pub(super) fn with_guard_sites(&mut self, path: ReportPath) {
        self.has_guard_sites = !path.is_empty();
        self.base.guard_sites = path;
    }

    pub(super) const fn with_simd(&mut self, simd: Simd) {
        self.base.simd = simd;
    }
}

/// What a pointer into the middle of a block is worth to a search for leaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Interior {
    /// As much as one to its start: containers of Rust and C++ keep such pointers alone.
    Reaches,
    /// What is reached by way of such pointers only is possibly lost, as valgrind says.
    Possible,
}

/// The forms of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReportFormat {
    /// For people.
    Text,
    /// Everything, as one JSON object.
    Json,
    /// SARIF 2.1.0, for viewers of code and continuous integration: the leaks.
    Sarif,
    /// For pages and comments.
    Markdown,
    /// As LeakSanitizer prints it: the leaks.
    Lsan,
}

impl ReportFormat {
    /// What the name of a file says: `.json`, `.sarif` and `.md` mean these, any other text.
    ///
    /// ```
    /// use heapsight::options::ReportFormat;
    ///
    /// assert_eq!(ReportFormat::of_name(b"leaks.sarif"), ReportFormat::Sarif);
    /// assert_eq!(ReportFormat::of_name(b"leaks.txt"), ReportFormat::Text);
    /// ```
    #[must_use]
    pub fn of_name(name: &[u8]) -> Self {
        const ENDINGS: [(&[u8], ReportFormat); 3] = [
            (b".json", ReportFormat::Json),
            (b".sarif", ReportFormat::Sarif),
            (b".md", ReportFormat::Markdown),
        ];
        let known = ENDINGS.iter().find(|(ending, _)| name.ends_with(ending));
        known.map_or(Self::Text, |(_, format)| *format)
    }
}
