//! Estimates by sampling are what was true, within the errors that the report states.

use crate::program::Program;
use crate::report::Counters;

/// What `sizes.c` does: function, size, blocks. One block in four stays.
const TRUTH: [(&str, u64, u64); 5] = [
    ("of_24", 24, 800_000),
    ("of_200", 200, 80_000),
    ("of_3000", 3000, 8_000),
    ("of_40000", 40_000, 1_000),
    ("of_700000", 700_000, 100),
];
const KEPT: u64 = 4;
/// Five standard errors: one check in two million is farther off by chance.
const ERRORS: f64 = 5.0;
/// Counters are whole numbers, each rounded at random; and a block of many means is certain to be
/// drawn, so there is no error of which this would be a multiple.
const SLACK: f64 = 2.0;
/// There are hundreds of samples of each size: the errors are of so many parts of the truth.
const ERROR_MAX: f64 = 0.08;

fn assert_near(what: &str, estimate: u64, truth: u64, error: f64, unit: f64) {
    let distance = (estimate as f64 - truth as f64).abs();
    let allowed = ERRORS * error + SLACK * unit;
    assert!(distance <= allowed, "{what}: {estimate} ± {error:.1}, in truth {truth}");
}

fn check(name: &str, counted: Counters, size: u64, blocks: u64) {
    let bytes = size * blocks;
    let (allocations_error, bytes_error) = (counted.allocations_error, counted.bytes_error);
    assert_near(name, counted.allocations, blocks, allocations_error, 1.0);
    assert_near(name, counted.bytes, bytes, bytes_error, size as f64);
    // What stays is a part of the same samples, and its variance that part of theirs.
    let live_error = bytes_error / (KEPT as f64).sqrt();
    assert_near(name, counted.live_bytes, bytes / KEPT, live_error, size as f64);
    assert_near(name, counted.frees, blocks - blocks / KEPT, allocations_error, 1.0);
    // The errors are worth something, and not every block was recorded to get them.
    assert!(bytes_error <= ERROR_MAX * bytes as f64, "{name}: ± {bytes_error} of {bytes}");
    let is_certain = size > 10 * MEAN;
    assert!(counted.samples > 80 && (is_certain || counted.samples < blocks), "{counted:?}");
    assert!(is_certain || bytes_error > 0.0, "{counted:?}");
}

const MEAN: u64 = 32 << 10;

#[test]
fn estimates_are_within_their_errors() {
    let program = Program::build("sizes.c");
    program.run("track=sample:32K").outcome().expect_code(0);
    let report = program.report();
    assert_eq!(
        (report.tracking.mode.as_str(), report.tracking.is_estimated),
        ("sample:32768", true)
    );
    for (name, size, blocks) in TRUTH {
        check(name, report.function(name), size, blocks);
    }
    let bytes = TRUTH.iter().map(|(_, size, blocks)| size * blocks).sum();
    let sum = report.sum();
    assert_near("all", report.totals.bytes_allocated, bytes, sum.bytes_error, 0.0);
}

/// The same program, every block: the numbers above are the program's.
#[test]
fn with_every_block_recorded_there_is_nothing_to_estimate() {
    let program = Program::build("sizes.c");
    program.run("track=full").outcome().expect_code(0);
    let report = program.report();
    assert!(!report.tracking.is_estimated);
    for (name, size, blocks) in TRUTH {
        let it = report.function(name);
        assert_eq!((it.allocations, it.bytes, it.live), (blocks, size * blocks, blocks / KEPT));
        assert_eq!((it.samples, it.bytes_error), (0, 0.0), "{name}");
    }
}
