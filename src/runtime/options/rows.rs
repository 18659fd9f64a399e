//! The table: one row an option.

use super::config::{LEDGER_SIZE_MAX, LEDGER_SIZE_MIN, MAX_ALLOCATION_MAX, PURGE_DELAY_MS_MAX};
use super::safety;
use super::table::{Choice, Number, OptionRow, PathSlot, Size, Values};
use super::values::{
    Interior, ReportFormat, SAMPLE_BYTES, SAMPLE_BYTES_MAX, Simd, ToggleSignal, Track,
};

/// Every option, in the order in which it is shown.
pub const TABLE: &[OptionRow] = &[
    OptionRow {
        name: "track",
        doc: "How much is remembered about what the program allocates.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "nothing: malloc and free run their bare fast paths",
                set: |builder| builder.with_track(Track::Off),
                is_set: |config| matches!(config.track, Track::Off),
                size: None,
            },
            Choice {
                word: "stats",
                doc: "how many allocations there were and are, and how many bytes",
                set: |builder| builder.with_track(Track::Stats),
                is_set: |config| matches!(config.track, Track::Stats),
                size: None,
            },
            Choice {
                word: "sample",
                doc: "some blocks with their call stacks, drawn at random, SIZE bytes apart on \
                      average (1 to 1G, default 512K): counters are then unbiased estimates",
                set: |builder| builder.with_track(Track::SAMPLE),
                is_set: |config| matches!(config.track, Track::Sample { .. }),
                size: Some(Size {
                    min: 1,
                    max: SAMPLE_BYTES_MAX,
                    default: SAMPLE_BYTES,
                    set: |builder, bytes| builder.with_track(Track::Sample { bytes }),
                    of: |config| match config.track {
                        Track::Sample { bytes } => bytes,
                        _ => SAMPLE_BYTES,
                    },
                }),
            },
            Choice {
                word: "full",
                doc: "as stats, and for every live block its call stack, size and thread",
                set: |builder| builder.with_track(Track::Full),
                is_set: |config| matches!(config.track, Track::Full),
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "leaks",
        doc: "Whether a report at exit names the blocks that the program has lost, alone, with \
              what holds them, or in a cycle, and who holds those that are still reachable: \
              grouped by the call stack that allocated them.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "no report at exit",
                set: |builder| builder.with_leaks(false),
                is_set: |config| !config.leaks,
                size: None,
            },
            Choice {
                word: "on",
                doc: "report at exit; implies track=full unless track is given",
                set: |builder| builder.with_leaks(true),
                is_set: |config| config.leaks,
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "leaks_exitcode",
        doc: "The exit code of a program that leaked; 0 leaves the program's own exit code alone.",
        values: Values::Number(Number {
            metavar: "N",
            min: 0,
            max: u8::MAX as i64,
            set: |builder, number| builder.with_leaks_exitcode(number),
            of: |config| config.leaks_exitcode as i64,
        }),
    },
    OptionRow {
        name: "report",
        doc: "The file that gets the report; empty means standard error. %p becomes the process \
              id. A backslash takes the next byte literally.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_report(path),
            of: |config| &config.report,
        }),
    },
    OptionRow {
        name: "report_format",
        doc: "What the report looks like.",
        values: Values::Words(&[
            Choice {
                word: "auto",
                doc: "as the name of its file says: .json, .sarif and .md mean JSON, SARIF and \
                      Markdown, any other text",
                set: |builder| builder.with_report_format(None),
                is_set: |config| config.report_format.is_none(),
                size: None,
            },
            Choice {
                word: "text",
                doc: "for people",
                set: |builder| builder.with_report_format(Some(ReportFormat::Text)),
                is_set: |config| config.report_format == Some(ReportFormat::Text),
                size: None,
            },
            Choice {
                word: "json",
                doc: "everything, as one object",
                set: |builder| builder.with_report_format(Some(ReportFormat::Json)),
                is_set: |config| config.report_format == Some(ReportFormat::Json),
                size: None,
            },
            Choice {
                word: "sarif",
                doc: "the leaks, in SARIF 2.1.0, for viewers of code and continuous integration",
                set: |builder| builder.with_report_format(Some(ReportFormat::Sarif)),
                is_set: |config| config.report_format == Some(ReportFormat::Sarif),
                size: None,
            },
            Choice {
                word: "markdown",
                doc: "for pages and comments",
                set: |builder| builder.with_report_format(Some(ReportFormat::Markdown)),
                is_set: |config| config.report_format == Some(ReportFormat::Markdown),
                size: None,
            },
            Choice {
                word: "lsan",
                doc: "the leaks, as LeakSanitizer prints them",
                set: |builder| builder.with_report_format(Some(ReportFormat::Lsan)),
                is_set: |config| config.report_format == Some(ReportFormat::Lsan),
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "interior",
        doc: "What a pointer into the middle of a block is worth to a search for leaks.",
        values: Values::Words(&[
            Choice {
                word: "reaches",
                doc: "as much as one to its start: containers of Rust and C++ keep such alone",
                set: |builder| builder.with_interior(Interior::Reaches),
                is_set: |config| config.interior == Interior::Reaches,
                size: None,
            },
            Choice {
                word: "possible",
                doc: "what only such pointers lead to is possibly lost, as valgrind says",
                set: |builder| builder.with_interior(Interior::Possible),
                is_set: |config| config.interior == Interior::Possible,
                size: None,
            },
        ]),
    },
    OptionRow {
        name: "suppressions",
        doc: "Files of leaks that are known and do not count, in LeakSanitizer's form, a line \
              leak:PATTERN each; several are separated by colons. See docs/suppressions.md.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_suppressions(path),
            of: |config| &config.suppressions,
        }),
    },
    OptionRow {
        name: "ledger",
        doc: "The file that the process writes while it runs: call sites, counters, timeline. \
              heapsight report, top, diff and export read it, while the process runs and after \
              its end, however it ended. Empty means none; a path implies track=full \
              unless track is given. %p becomes the process id; a forked process adds its own.",
        values: Values::Path(PathSlot {
            metavar: "PATH",
            set: |builder, path| builder.with_ledger(path),
            of: |config| &config.ledger,
        }),
    },
    OptionRow {
        name: "ledger_size",
        doc: "How many MiB the ledger may grow to. What finds no room in it is counted, and named \
              in every report.",
        values: Values::Number(Number {
            metavar: "MIB",
            min: LEDGER_SIZE_MIN,
            max: LEDGER_SIZE_MAX,
            set: |builder, number| builder.with_ledger_size(number),
            of: |config| config.ledger_size_mib as i64,
        }),
    },
    OptionRow {
        name: "toggle_signal",
        doc: "The signal that switches recording off and, the next time, on again, as it was; with \
              track=off it first switches track=full on. Allocations that come after the signal \
              follow. A program that has a handler of its own for the signal keeps it, and system \
              calls that a signal ends early, as sleep, end early.",
        values: Values::Words(&[
            Choice {
                word: "off",
                doc: "no signal does; whatever the program does with its signals, it does alone",
                set: |builder| builder.with_toggle_signal(None),
                is_set: |config| config.toggle_signal.is_none(),
                size: None,
            },
            Choice {
                word: "USR1",
                doc: "SIGUSR1",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Usr1)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Usr1),
                size: None,
            },
            Choice {
                word: "USR2",
                doc: "SIGUSR2",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Usr2)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Usr2),
                size: None,
            },
            Choice {
                word: "HUP",
                doc: "SIGHUP",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Hup)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Hup),
                size: None,
            },
            Choice {
                word: "URG",
                doc: "SIGURG, which a process without a handler ignores",
                set: |builder| builder.with_toggle_signal(Some(ToggleSignal::Urg)),
                is_set: |config| config.toggle_signal == Some(ToggleSignal::Urg),
                size: None,
            },
        ]),
    },
    safety::SAFETY,
    safety::ACTION,
    safety::SEED,
    safety::QUARANTINE,
    safety::GUARD_SIDE,
    safety::GUARD_SITES,
    safety::NEVER_UNMAP,
    safety::RETAIN_METADATA,
    OptionRow {
        name: "purge_delay",
        doc: "How many milliseconds unused memory is kept before it goes back to the operating \
              system; 0 gives it back at once, -1 never.",
        values: Values::Number(Number {
            metavar: "MS",
            min: -1,
            max: PURGE_DELAY_MS_MAX,
            set: |builder, number| builder.with_purge_delay_ms(number),
            of: |config| config.purge_delay_ms,
        }),
    },
    OptionRow {
        name: "max_allocation",
        doc: "An allocation of more than so many MiB fails as if memory had run out, and a line on \
              standard error says so: to see what a program does then. 0 means no limit.",
        values: Values::Number(Number {
            metavar: "MIB",
            min: 0,
            max: MAX_ALLOCATION_MAX,
            set: |builder, number| builder.with_max_allocation(number),
            of: |config| config.max_allocation_mib as i64,
        }),
    },
    OptionRow {
        name: "simd",
        doc: "Whose routines copy, fill, compare and search memory, for Heapsight itself, its \
              functions of that kind and libheapsight_mem.so. What the processor does not have is \
              said on standard error, and the best that it has serves.",
        values: Values::Words(&[
            Choice {
                word: "auto",
                doc: "the best that this processor has, and the platform's where ours win nothing",
                set: |builder| builder.with_simd(Simd::Auto),
                is_set: |config| matches!(config.simd, Simd::Auto),
                size: None,
            },
            Choice {
                word: "avx512",
                doc: "64 bytes at a time",
                set: |builder| builder.with_simd(Simd::Avx512),
                is_set: |config| matches!(config.simd, Simd::Avx512),
                size: None,
            },
            Choice {
                word: "avx2",
                doc: "32 bytes at a time",
                set: |builder| builder.with_simd(Simd::Avx2),
                is_set: |config| matches!(config.simd, Simd::Avx2),
                size: None,
            },
            Choice {
                word: "sse2",
                doc: "16 bytes at a time",
                set: |builder| builder.with_simd(Simd::Sse2),
                is_set: |config| matches!(config.simd, Simd::Sse2),
                size: None,
            },
            Choice {
                word: "neon",
                doc: "16 bytes at a time, of aarch64",
                set: |builder| builder.with_simd(Simd::Neon),
                is_set: |config| matches!(config.simd, Simd::Neon),
                size: None,
            },
            Choice {
                word: "off",
                doc: "the platform's",
                set: |builder| builder.with_simd(Simd::Off),
                is_set: |config| matches!(config.simd, Simd::Off),
                size: None,
            },
        ]),
    },
];
