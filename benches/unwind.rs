//! What a captured stack costs: by how much of it has changed since the last one, and how deep it
//! is; and what the platform's unwinder takes for the same stacks.
//!
//! `same`: always the same stack. `top8`: the innermost three calls are picked at random.
//! `all256`: one of 256 stacks which differ from the root up.
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use heapsight::ffi::unwind::{Cache, Place, Trial};
use std::hint::black_box;
use std::time::{Duration, Instant};

/// What is called where a stack ends.
type Leaf<'a> = &'a mut dyn FnMut();

/// A way through the functions below: bits, innermost last.
#[derive(Clone, Copy)]
struct Way {
    bits: u64,
    depth: u32,
}

impl Way {
    fn next(self) -> (usize, Self) {
        let choice = (self.bits & 1) as usize | ((self.depth & 1) as usize) << 1;
        (choice, Self { bits: self.bits.rotate_right(1), depth: self.depth - 1 })
    }
}

const SHAPES: [fn(Way, Leaf<'_>) -> u64; 4] = [small, pressed, large, many];

#[inline(always)]
fn go(way: Way, leaf: Leaf<'_>) -> u64 {
    if way.depth == 0 {
        leaf();
        return 1;
    }
    let (choice, rest) = way.next();
    SHAPES[choice](rest, leaf)
}

#[inline(never)]
fn small(way: Way, leaf: Leaf<'_>) -> u64 {
    go(way, leaf) + 1
}

#[inline(never)]
fn pressed(way: Way, leaf: Leaf<'_>) -> u64 {
    let (a, b, c) = (way.bits * 3, way.bits ^ 7, u64::from(way.depth) << 3);
    go(way, leaf) + (a ^ b) * c + b
}

#[inline(never)]
fn large(way: Way, leaf: Leaf<'_>) -> u64 {
    let bytes = black_box([way.depth as u8; 200]);
    go(way, leaf) + u64::from(black_box(&bytes)[3])
}

#[inline(never)]
fn many(way: Way, leaf: Leaf<'_>) -> u64 {
    let values = black_box([way.bits, 2, 3, 4, 5, 6, 7, 8]);
    let result = go(way, leaf);
    values.iter().fold(result, |sum, value| sum ^ value)
}

fn random(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
    *seed >> 33
}

/// The way of a scenario that a random number picks.
fn way(scenario: &str, depth: u32, number: u64) -> Way {
    // Each call takes a bit, from the lowest on; the bits come round again after 64 calls.
    match scenario {
        "same" => Way { bits: 0x5a5a_5a5a_5a5a_5a5a, depth },
        "top8" => Way { bits: 0x5a5a_5a5a_5a5a_5a5a, depth: depth - 3 },
        _ => Way { bits: (number & 255).wrapping_mul(0x0101_0101_0101_0101), depth },
    }
}

/// Captures from within `rounds` stacks, each once, and the same without capturing: the difference
/// is the time of the captures. On a machine with other work the least disturbed of many short
/// batches tells the cost; it is taken for all.
///
/// What stays of a stack is left standing: processors predict returns from some thirty calls only,
/// and returning from more, time and again, would be most of what is measured.
fn measure(scenario: &str, depth: u32, rounds: u64, mut capture: impl FnMut()) -> Duration {
    const BATCH: u64 = 500;
    let mut seed = 1;
    let mut batch = |action: Leaf<'_>| {
        let start = Instant::now();
        for _ in 0..BATCH {
            let number = random(&mut seed);
            match scenario {
                "same" => action(),
                // The innermost three calls, by other bits.
                "top8" => {
                    black_box(go(Way { bits: number & 7, depth: 3 }, action));
                }
                _ => {
                    black_box(go(way(scenario, depth, number), action));
                }
            }
        }
        start.elapsed()
    };
    let (mut with, mut without) = (Duration::MAX, Duration::MAX);
    let mut batches = || {
        for _ in 0..rounds.div_ceil(BATCH).max(20) {
            with = with.min(batch(&mut capture));
            without = without.min(batch(&mut || ()));
        }
    };
    if scenario == "all256" {
        batches();
    } else {
        black_box(go(way(scenario, depth, 0), &mut batches));
    }
    with.saturating_sub(without).mul_f64(rounds as f64 / BATCH as f64)
}

/// Frames of the stack here.
fn frames_here(trial: &Trial, cache: &Cache) -> u32 {
    let mut places = [Place::default(); 256];
    trial.capture_here(cache).map_or(0, |node| trial.path(node, &mut places) as u32)
}

fn captures(criterion: &mut Criterion) {
    let trial = Trial::new(1 << 30).expect("addresses for the names");
    let cache = Cache::new();
    let mut group = criterion.benchmark_group("unwind");
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    group.warm_up_time(Duration::from_millis(300));
    let mut frames = 0;
    go(way("same", 4, 0), &mut || frames = frames_here(&trial, &cache));
    for scenario in ["same", "top8", "all256"] {
        for depth in [4, 20, 99] {
            let id = BenchmarkId::new(scenario, format!("{} frames", frames + depth - 4));
            group.bench_function(id, |bencher| {
                bencher.iter_custom(|rounds| {
                    measure(scenario, depth, rounds, || {
                        black_box(trial.capture_here(&cache));
                    })
                });
            });
        }
    }
    for depth in [4, 20, 99] {
        group.bench_function(BenchmarkId::new("platform", depth), |bencher| {
            bencher.iter_custom(|rounds| {
                measure("same", depth, rounds, || backtrace::trace(|frame| !frame.ip().is_null()))
            });
        });
    }
    group.finish();
}

criterion_group!(benches, captures);
criterion_main!(benches);
