//! What a user may write, and what comes of it.

use std::format;
use std::string::{String, ToString};
use std::vec::Vec;

use proptest::prelude::*;

use super::*;

/// The configuration and everything that was complained about.
pub(super) fn read(text: &str) -> (Config, Vec<String>) {
    let mut said = Vec::new();
    let config = Config::parse(text.as_bytes(), &mut |error| said.push(error.to_string()));
    (config, said)
}

pub(super) fn accepted(text: &str) -> Config {
    let (config, said) = read(text);
    assert!(said.is_empty(), "{text:?}: {said:?}");
    config
}

fn complaint(text: &str) -> String {
    let (config, said) = read(text);
    assert_eq!(config, Config::DEFAULT, "{text:?} changed something");
    assert_eq!(said.len(), 1, "{text:?}: {said:?}");
    said.concat()
}

#[test]
fn nothing_said_means_the_defaults() {
    for text in ["", " ", ",", " , ,, "] {
        assert_eq!(accepted(text), Config::DEFAULT, "{text:?}");
    }
}

#[test]
fn what_keeps_freed_blocks_watches_them() {
    for name in ["never_unmap", "retain_metadata"] {
        assert_eq!(accepted(&format!("{name}=1")).safety, Safety::Full);
        assert_eq!(accepted(&format!("{name}=1")).track, Track::Full);
        assert_eq!(accepted(&format!("{name}=1,safety=guard")).safety, Safety::Guard);
        let (config, said) = read(&format!("{name}=1,safety=basic"));
        assert!(!config.never_unmap && !config.retain_metadata);
        let sentence = format!(
            "heapsight: '{name}=1' needs freed blocks that are watched: use 'safety=full' (ignored)"
        );
        assert_eq!(said, [sentence]);
    }
}

#[test]
fn every_option_is_read() {
    let config = accepted(
        "track=stats,leaks=on,leaks_exitcode=23,report=/a/b.json,ledger=/c,ledger_size=8,\
         toggle_signal=USR2,safety=off,purge_delay=-1,max_allocation=64,\
         simd=sse2,quarantine=8,safety_action=report,safety_seed=5,guard_side=exact",
    );
    let built = Config::builder()
        .track(Track::Stats)
        .leaks(true)
        .leaks_exitcode(23)
        .report("/a/b.json")
        .ledger("/c")
        .ledger_size_mib(8)
        .toggle_signal(Some(ToggleSignal::Usr2))
        .safety(Safety::Off)
        .purge_delay_ms(-1)
        .max_allocation_mib(64)
        .simd(Simd::Sse2)
        .quarantine_mib(8)
        .safety_action(SafetyAction::Report)
        .safety_seed(5)
        .guard_side(GuardSide::Exact)
        .build();
    assert_eq!(config, built.unwrap());
}

#[test]
fn leaks_imply_full_tracking_unless_tracking_was_chosen() {
    assert_eq!(accepted("leaks=on").track, Track::Full);
    assert_eq!(accepted("track=stats,leaks=on").track, Track::Stats);
    assert_eq!(accepted("leaks=on,leaks=off").track, Track::Off);
    assert_eq!(Config::builder().leaks(true).build().unwrap().track, Track::Full);
}

#[test]
fn leaks_without_tracking_are_refused() {
    assert_eq!(
        complaint("leaks=on,track=off"),
        "heapsight: 'leaks=on' finds nothing with 'track=off': use 'track=full' (ignored)"
    );
    assert!(Config::builder().leaks(true).track(Track::Off).build().is_err());
}

#[test]
fn an_overlay_keeps_what_it_does_not_mention() {
    let base = accepted("track=stats,leaks=on,report=a.txt");
    let config = base.overlay(b"purge_delay=0", &mut |error| panic!("{error}"));
    assert_eq!(config, Config { purge_delay_ms: 0, ..base });
}

#[test]
fn the_later_item_wins_and_a_bad_one_changes_nothing() {
    assert_eq!(accepted("track=full,track=stats").track, Track::Stats);
    let (config, said) = read("track=full,track=nonsense");
    assert_eq!((config.track, said.len()), (Track::Full, 1));
}

#[test]
fn spaces_around_items_names_and_values_do_not_count() {
    assert_eq!(accepted(" track = full ,\tleaks =on\n").track, Track::Full);
    assert_eq!(accepted("report= a b ").report.as_bytes(), b"a b");
}

#[test]
fn a_path_may_hold_anything_behind_a_backslash() {
    assert_eq!(accepted("report=a=b").report.as_bytes(), b"a=b");
    assert_eq!(accepted(r"report=a\,b,leaks=off").report.as_bytes(), b"a,b");
    assert_eq!(accepted(r"report=\ a\  ").report.as_bytes(), b" a ");
    assert_eq!(accepted(r"report=a\\ ").report.as_bytes(), br"a\");
    assert_eq!(accepted(r"report=a\").report.as_bytes(), br"a\");
}

#[test]
fn an_unknown_option_names_the_nearest() {
    assert_eq!(
        complaint("trak=full"),
        "heapsight: unknown option 'trak': did you mean 'track'? (ignored)"
    );
    assert_eq!(
        complaint("zebra"),
        "heapsight: unknown option 'zebra': the options are track, leaks, leaks_exitcode, \
         report, report_format, interior, suppressions, ledger, ledger_size, toggle_signal, \
         safety, safety_action, safety_seed, quarantine, guard_side, guard_sites, never_unmap, \
         retain_metadata, purge_delay, max_allocation and simd (ignored)"
    );
    assert_eq!(
        complaint("=full"),
        "heapsight: unknown option '': the options are track, leaks, leaks_exitcode, report, \
         report_format, interior, suppressions, ledger, ledger_size, toggle_signal, safety, \
         safety_action, safety_seed, quarantine, guard_side, guard_sites, never_unmap, \
         retain_metadata, purge_delay, max_allocation and simd (ignored)"
    );
}

#[test]
fn a_bad_value_names_what_would_do() {
    let cases = [
        ("track=ful", "bad value 'ful' for option 'track': did you mean 'full'?"),
        ("track=FULL", "bad value 'FULL' for option 'track': did you mean 'full'?"),
        ("track=", "bad value '' for option 'track': use off, stats, sample[:SIZE] or full"),
        ("leaks=yes", "bad value 'yes' for option 'leaks': use off or on"),
        ("leaks", "option 'leaks' has no value: write 'leaks=VALUE', and as VALUE off or on"),
        (
            "leaks_exitcode=256",
            "bad value '256' for option 'leaks_exitcode': use a whole number from 0 to 255",
        ),
        (
            "leaks_exitcode=1.5",
            "bad value '1.5' for option 'leaks_exitcode': use a whole number from 0 to 255",
        ),
        (
            "purge_delay=-2",
            "bad value '-2' for option 'purge_delay': use a whole number from -1 to 86400000",
        ),
        (
            "purge_delay=99999999999999999999",
            "bad value '99999999999999999999' for option 'purge_delay': use a whole number from \
             -1 to 86400000",
        ),
        (
            "report=a\0b",
            r"bad value 'a\u{0}b' for option 'report': a path cannot contain a zero byte",
        ),
    ];
    for (text, reason) in cases {
        assert_eq!(complaint(text), format!("heapsight: {reason} (ignored)"));
    }
}

#[test]
fn a_path_fits_or_is_refused() {
    let longest = "x".repeat(ReportPath::CAPACITY - 1);
    assert_eq!(accepted(&format!("report={longest}")).report.as_bytes(), longest.as_bytes());
    let line = complaint(&format!("report={longest}x"));
    assert!(line.ends_with("...' for option 'report': a path has at most 1023 bytes (ignored)"));
    let error = Config::builder().report(&format!("{longest}x")).build().unwrap_err();
    assert!(!error.to_string().contains("ignored"), "{error}");
    let refused = Config::builder().purge_delay_ms(-2).build().unwrap_err();
    assert_eq!(
        refused.to_string(),
        "heapsight: bad value '-2' for option 'purge_delay': use a whole number from -1 to 86400000"
    );
}

#[test]
fn a_complaint_is_one_short_line_whatever_was_typed() {
    for typed in ["\n\n\u{7}", &"é".repeat(300), "\u{1b}[31m"] {
        let line = complaint(typed);
        assert!(line.len() < 364 && !line.chars().any(char::is_control), "{line:?}");
    }
    let mut said = String::new();
    let _ = Config::parse(b"\xff\xfe", &mut |error| said = error.to_string());
    assert!(said.contains(r"'\xff\xfe'"), "{said}");
}

#[test]
fn the_process_id_goes_where_the_path_wants_it() {
    let expand = |text: &[u8]| ReportPath::new(text).unwrap().expand(4711);
    assert_eq!(expand(b"%p/a%%p-%p.json").unwrap().as_bytes(), b"4711/a%4711-4711.json");
    assert_eq!(expand(b"100%").unwrap().as_bytes(), b"100%");
    assert_eq!(expand(&b"%p".repeat(511)), Err(PathError::TooLong));
}

#[test]
fn json_is_asked_for_by_the_name() {
    assert_eq!(accepted("report=a.json").report.format(), ReportFormat::Json);
    assert_eq!(accepted("report=a.json.txt").report.format(), ReportFormat::Text);
    assert_eq!(accepted("report=a.json").report.as_c_str(), c"a.json");
    assert_eq!(ReportPath::EMPTY.as_c_str(), c"");
}

#[test]
fn samples_have_a_distance() {
    assert_eq!(accepted("track=sample").track, Track::Sample { bytes: 512 << 10 });
    assert_eq!(accepted("track=sample:64k").track, Track::Sample { bytes: 64 << 10 });
    assert_eq!(accepted("track=sample:1G").to_string().split(',').next(), Some("track=sample:1G"));
    for (text, line) in [
        ("track=sample:5X", "bad value 'sample:5X' for option 'track': use 'sample:SIZE' with"),
        ("track=sample:0", "bad value 'sample:0' for option 'track': use 'sample:SIZE' with"),
        ("track=full:3", "bad value 'full:3' for option 'track': did you mean 'full'?"),
        ("track=sampel:1M", "bad value 'sampel:1M' for option 'track': did you mean 'sample'?"),
        ("track=sample:", "bad value 'sample:' for option 'track': use 'sample:SIZE' with"),
        ("track=sample:2G", "use 'sample:SIZE' with a number of bytes from 1 to 1G"),
        ("track=sample,leaks=on", "'leaks=on' needs every block"),
    ] {
        let mut said = Vec::new();
        Config::parse(text.as_bytes(), &mut |error| said.push(error.to_string()));
        assert!(said.len() == 1 && said[0].contains(line), "{said:?} for {text}");
    }
}

#[test]
fn a_way_to_track_is_read_alone() {
    assert_eq!(Track::parse(b" sample:64K ").unwrap(), Track::Sample { bytes: 64 << 10 });
    let refused = |text: &[u8]| Track::parse(text).unwrap_err().to_string();
    assert_eq!(
        refused(b"ful"),
        "heapsight: bad value 'ful' for option 'track': did you mean 'full'?"
    );
    assert!(refused(b"full,leaks=on").starts_with("heapsight: bad value 'full,leaks=on'"));
    assert!(refused(b"").ends_with("use off, stats, sample[:SIZE] or full"));
}

#[test]
fn the_builder_refuses_what_the_parser_does() {
    let built = |bytes| Config::builder().track(Track::Sample { bytes }).build();
    assert_eq!(built(1 << 30).unwrap().track, accepted("track=sample:1G").track);
    assert_eq!(
        built(0).unwrap_err().to_string(),
        "heapsight: bad value 'sample:0' for option 'track': use 'sample:SIZE' with a number of \
         bytes from 1 to 1G, such as 4096, 512K or 1M"
    );
    assert!(built((1 << 30) + 1).is_err());
    let size = |mebibytes| Config::builder().ledger_size_mib(mebibytes).build();
    assert_eq!(size(65_536).unwrap(), accepted("ledger_size=65536"));
    assert!(size(3).is_err() && size(65_537).is_err());
    let leaks = Config::builder().leaks(true).track(Track::SAMPLE).build().unwrap_err();
    assert!(leaks.to_string().contains("'leaks=on' needs every block"), "{leaks}");
    assert!(Config::builder().ledger(&"x".repeat(ReportPath::CAPACITY)).build().is_err());
}

#[test]
fn a_ledger_implies_full_tracking_unless_tracking_was_chosen() {
    let track = |text: &str| accepted(text).track;
    assert_eq!(track("ledger=a"), Track::Full);
    assert_eq!(track("ledger=a,track=off"), Track::Off);
    assert_eq!(track("track=sample,ledger=a"), Track::SAMPLE);
    assert_eq!(track("ledger=a,ledger="), Track::Off);
    assert_eq!(Config::builder().ledger("a").build().unwrap(), accepted("ledger=a"));
}

#[test]
fn the_table_is_well_formed() {
    for (index, row) in TABLE.iter().enumerate() {
        assert!(row.doc.ends_with('.'), "{}", row.name);
        if let Values::Words(choices) = row.values {
            for (choice, size) in choices.iter().filter_map(|c| Some((c, c.size?))) {
                let item = |text: &str| accepted(&format!("{}={text}", row.name));
                let word = choice.word;
                assert_eq!(item(word), item(&format!("{word}:{}", size.default)), "{word}");
                assert!((size.min..=size.max).contains(&size.default), "{word}");
            }
        }
        assert!(TABLE[..index].iter().all(|other| other.name != row.name), "{}", row.name);
        let default = accepted(&format!("{}={}", row.name, row.default()));
        assert_eq!(default, Config::DEFAULT, "{}", row.name);
    }
}

/// Text made of the pieces that mean something, and of any bytes.
fn any_text() -> impl Strategy<Value = Vec<u8>> {
    let words = TABLE
        .iter()
        .map(|row| row.name)
        .chain(["off", "on", "full", "sample", "-1", "255", "256", "K"]);
    let marks = [",", "=", ":", "\\", " ", "%p", "\n", "\0"];
    let pieces: Vec<Vec<u8>> = words.chain(marks).map(|piece| piece.as_bytes().to_vec()).collect();
    let piece = prop_oneof![
        4 => prop::sample::select(pieces),
        1 => prop::collection::vec(any::<u8>(), 0..80),
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

fn any_config() -> impl Strategy<Value = Config> {
    let track = prop_oneof![
        Just(Track::Off),
        Just(Track::Stats),
        Just(Track::Full),
        (1..=1_u64 << 30).prop_map(|bytes| Track::Sample { bytes }),
    ];
    let safety = prop::sample::select(&[Safety::Off, Safety::Basic][..]);
    let path = "[^\0]{0,255}|[ ,=\\\\%p\n]{0,12}";
    let ledger = (path, 4..=65_536_u32);
    let signals = [ToggleSignal::Usr1, ToggleSignal::Usr2, ToggleSignal::Hup, ToggleSignal::Urg];
    let toggle = prop::option::of(prop::sample::select(signals.to_vec()));
    let actions = [SafetyAction::Abort, SafetyAction::Report, SafetyAction::Callback];
    let sides = [GuardSide::Right, GuardSide::Exact, GuardSide::Left];
    let action = prop::sample::select(actions.to_vec());
    let side = prop::sample::select(sides.to_vec());
    let found = (action, side, 0..=i64::MAX as u64);
    let ledger = (ledger, toggle, 0..=1_u32 << 26, 0..=65_536_u32, found);
    let formats = [ReportFormat::Json, ReportFormat::Sarif, ReportFormat::Markdown];
    let format = prop::option::of(prop::sample::select(formats.to_vec()));
    let interior = prop::sample::select(&[Interior::Reaches, Interior::Possible][..]);
    let simd = [Simd::Auto, Simd::Avx512, Simd::Avx2, Simd::Sse2, Simd::Neon, Simd::Off];
    let paths = (path, path, format, interior, prop::sample::select(simd.to_vec()));
    (track, any::<bool>(), any::<u8>(), paths, safety, -1..=86_400_000_i64, ledger).prop_map(
        |(track, leaks, leaks_exitcode, paths, safety, purge_delay_ms, ledger)| Config {
            track,
            leaks: leaks && matches!(track, Track::Stats | Track::Full),
            leaks_exitcode,
            report: ReportPath::new(paths.0.as_bytes()).unwrap(),
            suppressions: ReportPath::new(paths.1.as_bytes()).unwrap(),
            report_format: paths.2,
            interior: paths.3,
            simd: paths.4,
            safety,
            purge_delay_ms,
            ledger: ReportPath::new(ledger.0.0.as_bytes()).unwrap(),
            ledger_size_mib: ledger.0.1,
            toggle_signal: ledger.1,
            max_allocation_mib: ledger.2,
            quarantine_mib: ledger.3,
            safety_action: ledger.4.0,
            guard_side: ledger.4.1,
            safety_seed: ledger.4.2,
            ..Config::DEFAULT
        },
    )
}

proptest! {
    #[test]
    fn any_bytes_are_survived(text in any_text()) {
        let mut said = Vec::new();
        let config = Config::parse(&text, &mut |error| said.push(error.to_string()));
        prop_assert!(said.iter().all(|line| !line.contains('\n')));
        prop_assert!(config.report.expand(u32::MAX).is_ok_and(|path| !path.as_bytes().contains(&0))
            || config.report.as_bytes().len() > 200);
    }

    #[test]
    fn what_is_shown_is_read_back(config in any_config()) {
        let shown = config.to_string();
        let read = Config::parse(shown.as_bytes(), &mut |error| panic!("{shown:?}: {error}"));
        prop_assert_eq!(read, config);
    }

    #[test]
    fn any_path_can_be_written(path in prop::collection::vec(1..=255_u8, 0..300)) {
        let text: Vec<u8> = b"leaks=off, report=".iter().copied().chain(escape(&path)).collect();
        let config = Config::parse(&text, &mut |error| panic!("{error}"));
        prop_assert_eq!(config.report.as_bytes(), &path[..]);
    }
}
