//! The rows of the options that are about memory errors.

use super::config::{QUARANTINE_MAX, SEED_MAX};
use super::table::{Choice, Number, OptionRow, PathSlot, Size, Values};
use super::values::{GuardSide, SAMPLE_BYTES, SAMPLE_BYTES_MAX, Safety, SafetyAction};

pub(super) const SAFETY: OptionRow = OptionRow {
    name: "safety",
    doc: "Which memory errors are found. In any case these: the program frees a block twice, \
          frees an address that is no block, or frees what another allocator made. See \
          docs/safety.md.",
    values: Values::Words(&[
        Choice {
            word: "off",
            doc: "the bad free is ignored",
            set: |builder| builder.with_safety(Safety::Off),
            is_set: |config| matches!(config.safety, Safety::Off),
            size: None,
        },
        Choice {
            word: "basic",
            doc: "one report says what was freed where, and the program aborts",
            set: |builder| builder.with_safety(Safety::Basic),
            is_set: |config| matches!(config.safety, Safety::Basic),
            size: None,
        },
        Choice {
            word: "full",
            doc: "as basic, and each block is watched: bytes written past its ends, bytes \
                  written after it was freed, and frees by the wrong function are found when \
                  it is freed, when its memory is reused, and at exit; implies track=full \
                  unless track is given",
            set: |builder| builder.with_safety(Safety::Full),
            is_set: |config| matches!(config.safety, Safety::Full),
            size: None,
        },
        Choice {
            word: "guard",
            doc: "as full, and each block lies beside a page that nobody can touch, and is out of \
                  reach once it is freed: the instruction that steps over its edge, or uses it \
                  after its end, is where the program stops; implies track=full unless track is \
                  given",
            set: |builder| builder.with_safety(Safety::Guard),
            is_set: |config| matches!(config.safety, Safety::Guard),
            size: None,
        },
        Choice {
            word: "sampled",
            doc: "for production: as guard, for some blocks that are drawn at random, SIZE bytes \
                  apart on average (1 to 1G, default 512K), new and known bad call sites first, \
                  within half a percent of the time and 512 blocks; with a ledger it implies \
                  track=sample:SIZE unless track is given",
            set: |builder| builder.with_safety(Safety::SAMPLED),
            is_set: |config| config.safety.sampled().is_some(),
            size: Some(Size {
                min: 1,
                max: SAMPLE_BYTES_MAX,
                default: SAMPLE_BYTES,
                set: |builder, bytes| builder.with_safety(Safety::Sampled { bytes }),
                of: |config| match config.safety {
                    Safety::Sampled { bytes } => bytes,
                    _ => SAMPLE_BYTES,
                },
            }),
        },
    ]),
};

pub(super) const GUARD_SITES: OptionRow = OptionRow {
    name: "guard_sites",
    doc: "The file of call sites whose blocks were overrun or used after their end: what \
          safety=full, guard and sampled find is added to it, and safety=sampled puts guards to \
          the blocks of these sites in every later run. Empty means none; a path implies \
          safety=sampled unless safety is given.",
    values: Values::Path(PathSlot {
        metavar: "PATH",
        set: |builder, path| builder.with_guard_sites(path),
        of: |config| &config.guard_sites,
    }),
};

pub(super) const ACTION: OptionRow = OptionRow {
    name: "safety_action",
    doc: "What happens after a memory error was reported.",
    values: Values::Words(&[
        Choice {
            word: "abort",
            doc: "the process aborts",
            set: |builder| builder.with_safety_action(SafetyAction::Abort),
            is_set: |config| config.safety_action == SafetyAction::Abort,
            size: None,
        },
        Choice {
            word: "report",
            doc: "the program goes on, as if it had not made the mistake, as far as that can be \
                  done: a bad free does nothing, a wrong function or size counts as the right one, \
                  and what steps into a guard finds memory there",
            set: |builder| builder.with_safety_action(SafetyAction::Report),
            is_set: |config| config.safety_action == SafetyAction::Report,
            size: None,
        },
        Choice {
            word: "callback",
            doc: "the function is called that the program has named with \
                  heapsight_on_memory_error, and the program goes on when it comes back; without \
                  one it aborts",
            set: |builder| builder.with_safety_action(SafetyAction::Callback),
            is_set: |config| config.safety_action == SafetyAction::Callback,
            size: None,
        },
    ]),
};

pub(super) const SEED: OptionRow = OptionRow {
    name: "safety_seed",
    doc: "Where blocks are placed, and which freed ones are reused first, is random with \
          safety=full, and which blocks have guards with safety=sampled. The same number here \
          gives the same choices, for sampled without regard to the time that they take; 0 draws \
          one, which reports name.",
    values: Values::Number(Number {
        metavar: "N",
        min: 0,
        max: SEED_MAX,
        set: |builder, number| builder.with_safety_seed(number),
        of: |config| config.safety_seed as i64,
    }),
};

pub(super) const QUARANTINE: OptionRow = OptionRow {
    name: "quarantine",
    doc: "How many MiB of freed blocks safety=full and guard keep from being reused, the longest. \
          What is written to them meanwhile, or frees them again, is found. The last 112 that a \
          thread freed are kept even if they are longer, up to 16 MiB in all; 0 keeps none.",
    values: Values::Number(Number {
        metavar: "MIB",
        min: 0,
        max: QUARANTINE_MAX,
        set: |builder, number| builder.with_quarantine(number),
        of: |config| config.quarantine_mib as i64,
    }),
};

pub(super) const GUARD_SIDE: OptionRow = OptionRow {
    name: "guard_side",
    doc: "On which side of a block its guard is, with safety=guard and sampled.",
    values: Values::Words(&[
        Choice {
            word: "right",
            doc: "behind it, as near as its alignment allows; what is written to the bytes between \
                  is found when it is freed",
            set: |builder| builder.with_guard_side(GuardSide::Right),
            is_set: |config| config.guard_side == GuardSide::Right,
            size: None,
        },
        Choice {
            word: "exact",
            doc: "right behind it: blocks of C and C++ whose size is no multiple of 16 are then \
                  not aligned, which few programs mind",
            set: |builder| builder.with_guard_side(GuardSide::Exact),
            is_set: |config| config.guard_side == GuardSide::Exact,
            size: None,
        },
        Choice {
            word: "left",
            doc: "before it",
            set: |builder| builder.with_guard_side(GuardSide::Left),
            is_set: |config| config.guard_side == GuardSide::Left,
            size: None,
        },
    ]),
};

pub(super) const NEVER_UNMAP: OptionRow = OptionRow {
    name: "never_unmap",
    doc: "1: no address of a freed block is ever used again, so that each use after free faults or \
          is found; memory grows with all that is freed. Implies safety=full unless safety is \
          given.",
    values: Values::Number(Number {
        metavar: "0|1",
        min: 0,
        max: 1,
        set: |builder, number| builder.with_never_unmap(number != 0),
        of: |config| config.never_unmap as i64,
    }),
};

pub(super) const RETAIN_METADATA: OptionRow = OptionRow {
    name: "retain_metadata",
    doc: "1: who allocated and who freed a block is remembered beyond the quarantine, until a \
          later block of its address is freed, of up to 256K blocks. Implies safety=full unless \
          safety is given.",
    values: Values::Number(Number {
        metavar: "0|1",
        min: 0,
        max: 1,
        set: |builder, number| builder.with_retain_metadata(number != 0),
        of: |config| config.retain_metadata as i64,
    }),
};

#[cfg(test)]
mod tests {
    use super::super::tests::{accepted, read};
    use super::super::{Config, Safety, Track};
    use std::string::ToString;

    #[test]
    fn samples_have_a_size_and_need_no_tracking() {
        let config = accepted("safety=sampled");
        assert_eq!((config.safety, config.track), (Safety::SAMPLED, Track::Off));
        let config = accepted("safety=sampled:4K,track=sample:1K");
        assert_eq!(config.safety, Safety::Sampled { bytes: 4096 });
        assert_eq!(config.track, Track::Sample { bytes: 1024 });
        assert_eq!(accepted("safety=sampled:1M,ledger=a").track, Track::Sample { bytes: 1 << 20 });
        let built = Config::builder().safety(Safety::Sampled { bytes: 4096 }).guard_sites("/a");
        assert_eq!(built.build().unwrap(), accepted("guard_sites=/a,safety=sampled:4K"));
        for bytes in [0, 1 << 31] {
            assert!(Config::builder().safety(Safety::Sampled { bytes }).build().is_err());
        }
        let shown = config.to_string();
        assert_eq!(accepted(&shown), config, "{shown}");
        let overlaid = config.overlay(b"purge_delay=0", &mut |error| panic!("{error}"));
        assert_eq!(overlaid, Config { purge_delay_ms: 0, ..config });
    }

    #[test]
    fn samples_are_refused_where_every_block_is_recorded() {
        for text in ["safety=sampled,track=full", "safety=sampled,track=stats"] {
            let (config, said) = read(text);
            assert_eq!((config.safety, said.len()), (Safety::Basic, 1), "{text}: {said:?}");
            assert!(said[0].contains("'safety=sampled' watches few blocks"), "{said:?}");
        }
        let (config, said) = read("safety=sampled,leaks=on");
        assert_eq!((config.safety, config.leaks, said.len()), (Safety::Basic, true, 1));
        let (config, said) = read("safety=sampled:1K,track=sample:2K");
        assert_eq!((config.safety, said.len()), (Safety::Basic, 1), "{said:?}");
        assert!(Config::builder().safety(Safety::SAMPLED).leaks(true).build().is_err());
    }

    #[test]
    fn a_file_of_sites_guards_them() {
        assert_eq!(accepted("guard_sites=/a").safety, Safety::SAMPLED);
        assert_eq!(accepted("guard_sites=").safety, Safety::Basic);
        assert_eq!(accepted("guard_sites=/a,safety=full").safety, Safety::Full);
        assert_eq!(accepted("guard_sites=/a,never_unmap=1").safety, Safety::Full);
        let (config, said) = read("guard_sites=/a,safety=basic");
        assert!(config.guard_sites.is_empty() && said.len() == 1, "{said:?}");
    }
}
