//! Timing that a noisy machine cannot turn around: the variants run in turns, some microseconds at
//! a time, and what counts is each one's lower quartile over the rounds.

use std::time::Instant;

/// Does its work so many times.
pub type Work<'w> = Box<dyn FnMut(usize) + 'w>;

/// Nanoseconds that a turn should take.
const TURN: f64 = 40_000.0;

/// What one variant took, and how many times as fast as the first it is.
#[derive(Clone, Copy, Debug)]
pub struct Timed {
    /// Nanoseconds a call.
    pub time: f64,
    /// The first variant's time by this one's.
    pub ratio: f64,
}

fn turn(work: &mut Work<'_>, calls: usize) -> f64 {
    // What the other variant has displaced comes back before the clock starts.
    work(calls.div_ceil(8));
    let start = Instant::now();
    work(calls);
    start.elapsed().as_nanos() as f64 / calls as f64
}

/// Times all variants, the first of which the others are measured by.
pub fn race(variants: &mut [Work<'_>], rounds: usize) -> Vec<Timed> {
    let once = turn(&mut variants[0], 1).max(1.0);
    let calls = ((TURN / once) as usize).clamp(1, 20_000);
    let once = turn(&mut variants[0], calls).max(0.1);
    let calls = ((TURN / once) as usize).clamp(1, 100_000);
    let mut all: Vec<Vec<f64>> = vec![Vec::new(); variants.len()];
    for round in 0..rounds {
        for place in 0..variants.len() {
            let which = (place + round) % variants.len();
            all[which].push(turn(&mut variants[which], calls));
        }
    }
    let times: Vec<f64> = all.into_iter().map(quartile).collect();
    times.iter().map(|time| Timed { time: *time, ratio: times[0] / time }).collect()
}

/// A quarter of the rounds was faster. What another process takes away from a turn only ever makes
/// it longer, so that the middle is less to be trusted.
fn quartile(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 4).copied().unwrap_or(f64::NAN)
}

/// The middle one.
pub fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}
