//! The order of the runs: rounds, not blocks.
//!
//! Row by row, within a round every allocator runs once, one after the other, and each round
//! starts with another of them; a disturbance of the machine, or a processor that warms up, then
//! falls on all. A first round is thrown away: in it the machine finds the pages (in a virtual
//! one, from its host) that every later round reuses.

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
    for (index, row) in rows.iter().enumerate() {
        eprint!("compare: {:2}/{} {:<14}", index + 1, rows.len(), row.name);
        for allocator in allocators {
            measure(row, allocator)?;
        }
        for round in 0..arguments.rounds {
            for turn in 0..allocators.len() {
                let column = (round + turn) % allocators.len();
                samples[index][column].push(measure(row, &allocators[column])?);
            }
            eprint!(".");
        }
        eprintln!();
        check_outputs(row, allocators, &samples[index])?;
    }
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
