//! The order of the runs: rounds, not blocks.
//!
//! Within a round every allocator runs once, one after the other, and each round starts with
//! another of them; a disturbance of the machine, or a processor that warms up, then falls on all.

use crate::allocator::Allocator;
use crate::arguments::Arguments;
use crate::measure::{Sample, measure};
use crate::row::Row;

/// `samples[row][allocator]` holds one sample per round.
pub type Samples = Vec<Vec<Vec<Sample>>>;

/// Runs every row; the first failure ends the comparison, for a crashed allocator has no time.
pub fn run(
    rows: &[Row],
    allocators: &[Allocator],
    arguments: &Arguments,
) -> Result<Samples, String> {
    let mut samples: Samples = vec![vec![Vec::new(); allocators.len()]; rows.len()];
    for round in 0..arguments.rounds {
        for (index, row) in rows.iter().enumerate() {
            eprint!("\r\x1b[Kround {}/{}: {}", round + 1, arguments.rounds, row.name);
            for turn in 0..allocators.len() {
                let column = (round + turn) % allocators.len();
                samples[index][column].push(measure(row, &allocators[column])?);
            }
            check_outputs(row, allocators, &samples[index])?;
        }
    }
    eprintln!("\r\x1b[K{} rounds of {} rows", arguments.rounds, rows.len());
    Ok(samples)
}

/// A program must say the same on top of every allocator.
fn check_outputs(
    row: &Row,
    allocators: &[Allocator],
    samples: &[Vec<Sample>],
) -> Result<(), String> {
    let expected = samples[0].first().map(|sample| sample.output);
    for (allocator, samples) in allocators.iter().zip(samples) {
        if samples.iter().any(|sample| Some(sample.output) != expected) {
            let name = &allocator.name;
            return Err(format!("{}: its output on {name} differs from glibc's", row.name));
        }
    }
    Ok(())
}
