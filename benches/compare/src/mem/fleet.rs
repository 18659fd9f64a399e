//! Sizes as large fleets of servers see them: drawn from the published quantiles of Google's, and
//! either too many for a branch predictor to learn, or few enough.

use std::hint::black_box;

use super::cells::Cell;
use super::routines::{compares, copies, equals, sets};
use super::time::{Work, race};

/// Size at the quantiles 0, 0.25, 0.5, 0.75, 0.9, 0.99 and 1.
type Quantiles = [f64; 7];
const AT: Quantiles = [0.0, 0.25, 0.5, 0.75, 0.9, 0.99, 1.0];
const COPY: Quantiles = [1.0, 4.0, 10.0, 29.0, 75.0, 1709.0, 4096.0];
const MOVE: Quantiles = [1.0, 4.0, 8.0, 21.0, 48.0, 336.0, 4096.0];
const SET: Quantiles = [1.0, 8.0, 19.0, 64.0, 272.0, 4096.0, 4096.0];
const COMPARE: Quantiles = [1.0, 11.0, 27.0, 45.0, 81.0, 308.0, 2048.0];
const EQUAL: Quantiles = [1.0, 6.0, 14.0, 27.0, 43.0, 171.0, 1024.0];

/// More draws than any predictor remembers, and few.
const UNLEARNABLE: usize = 32_768;
const LEARNABLE: usize = 1024;

/// A draw: a size and two offsets.
#[derive(Clone, Copy)]
struct Draw {
    len: usize,
    from: usize,
    to: usize,
}

fn draws(quantiles: &Quantiles, most: usize, count: usize) -> Vec<Draw> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = move || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state
    };
    (0..count)
        .map(|_| {
            let at = (next() >> 11) as f64 / (1_u64 << 53) as f64;
            let part = AT.iter().rposition(|quantile| *quantile <= at).unwrap_or(0).min(5);
            let share = (at - AT[part]) / (AT[part + 1] - AT[part]);
            let len = quantiles[part] * (quantiles[part + 1] / quantiles[part]).powf(share);
            let (from, to) = ((next() % 64) as usize, (next() % 64) as usize);
            Draw { len: (len as usize).min(most), from, to }
        })
        .collect()
}

/// All mixtures.
pub fn measure(rounds: usize) -> Vec<Cell> {
    eprintln!("compare: mem: mixtures of sizes");
    let source = vec![0xaa_u8; 8192];
    let mut target = vec![0xaa_u8; 8192];
    let (from, to) = (source.as_ptr(), target.as_mut_ptr());
    let mut cells = Vec::new();
    for (how, count) in [("unlearnable", UNLEARNABLE), ("learnable", LEARNABLE)] {
        for (routine, quantiles) in [("fleet memcpy", &COPY), ("fleet memmove", &MOVE)] {
            for most in [64, 4096] {
                let all = draws(quantiles, most, count);
                let work = |copy: super::routines::Move| {
                    each(&all, move |draw| {
                        // SAFETY: both vectors are longer than any draw.
                        unsafe {
                            copy(to.add(draw.to).cast(), from.add(draw.from).cast(), draw.len)
                        };
                    })
                };
                let times = race(&mut copies().map(work), rounds);
                cells.push(Cell { routine, len: most, how, times });
            }
        }
        for most in [64, 4096] {
            let all = draws(&SET, most, count);
            let work = |set: super::routines::Set| {
                each(&all, move |draw| {
                    // SAFETY: as above.
                    unsafe { set(to.add(draw.to).cast(), 0, draw.len) };
                })
            };
            let times = race(&mut sets().map(work), rounds);
            cells.push(Cell { routine: "fleet memset", len: most, how, times });
        }
        target.fill(0xaa);
        for (routine, quantiles, pair) in
            [("fleet memcmp", &COMPARE, compares()), ("fleet bcmp", &EQUAL, equals())]
        {
            let all = draws(quantiles, 4096, count);
            let work = |compare: super::routines::Compare| {
                each(&all, move |draw| {
                    // SAFETY: as above.
                    black_box(unsafe {
                        compare(to.add(draw.to).cast(), from.add(draw.from).cast(), draw.len)
                    });
                })
            };
            let times = race(&mut pair.map(work), rounds);
            cells.push(Cell { routine, len: 4096, how, times });
        }
    }
    cells
}

/// One call a draw, around and around.
fn each<'w>(draws: &'w [Draw], call: impl Fn(Draw) + 'w) -> Work<'w> {
    let mut at = 0;
    Box::new(move |calls| {
        for _ in 0..calls {
            call(draws[at]);
            at = if at + 1 == draws.len() { 0 } else { at + 1 };
        }
    })
}
