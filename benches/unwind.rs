//! What a captured stack costs: by how much of it has changed since the last one, and how deep it
//! is; and what the platform's unwinder takes for the same stacks.
//!
//! `same`: always the same stack. `top16`: the innermost three calls are picked at random.
//! `all256`: one of 256 stacks which differ from the root up.
#![allow(missing_docs, reason = "criterion's macros")]

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use heapsight::ffi::unwind::{Cache, Trial};
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

/// The ways of a scenario, picked by a random number. `tops` calls are below the innermost three.
fn way(scenario: &str, depth: u32, number: u64) -> Way {
    match scenario {
        "same" => Way { bits: 0x5a5a_5a5a_5a5a_5a5a, depth },
        "top16" => Way { bits: (number & 7).rotate_right((64 - depth % 64 + 3) % 64), depth },
        _ => Way { bits: (number & 255).wrapping_mul(0x0101_0101_0101_0101), depth },
    }
}

/// Captures from within `rounds` stacks, each once, and the same without capturing: the difference
/// is the time of the captures.
fn measure(scenario: &str, depth: u32, rounds: u64, mut capture: impl FnMut()) -> Duration {
    let mut run = |action: &mut dyn FnMut()| {
        let mut seed = 1;
        let start = Instant::now();
        for _ in 0..rounds {
            black_box(go(way(scenario, depth, random(&mut seed)), action));
        }
        start.elapsed()
    };
    let with = run(&mut capture);
    with.saturating_sub(run(&mut || ()))
}

fn captures(criterion: &mut Criterion) {
    let trial = Trial::new(1 << 30).expect("addresses for the names");
    let cache = Cache::new();
    let mut group = criterion.benchmark_group("unwind");
    group.sample_size(20).measurement_time(Duration::from_secs(1));
    group.warm_up_time(Duration::from_millis(300));
    for scenario in ["same", "top16", "all256"] {
        for depth in [4, 20, 99] {
            group.bench_function(BenchmarkId::new(scenario, depth), |bencher| {
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
