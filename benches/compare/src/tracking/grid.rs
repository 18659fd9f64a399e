//! Programs by setups: the runs, in rounds, and their medians.

use super::cases::Case;
use super::measure;
use super::setups::Setups;
use crate::measure::Sample;
use crate::results::{Cell, cell, geometric_mean};

/// Everything measured of some programs.
#[derive(Default)]
pub struct Grid {
    /// The programs' names.
    pub names: Vec<String>,
    /// What the programs do.
    pub what: Vec<String>,
    /// `cells[program][setup]`; nothing where a run failed.
    pub cells: Vec<Vec<Option<Cell>>>,
    /// Program, setup and what went wrong.
    pub failures: Vec<Failure>,
}

/// A run that gave no figure.
pub struct Failure {
    /// The column it is missing from.
    pub column: usize,
    /// What happened.
    pub message: String,
}

/// From this many times glibc's time on, one round is enough.
pub const SLOW: f64 = 10.0;

/// Which figure of a cell is meant.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Figure {
    /// From start to exit.
    Time,
    /// Processor time.
    Cpu,
    /// Peak memory.
    Memory,
}

impl Grid {
    /// A figure over glibc's.
    pub fn ratio(&self, program: usize, column: usize, figure: Figure) -> Option<f64> {
        let value = |column: usize| {
            let cell = self.cells[program].get(column)?.as_ref()?;
            Some(match figure {
                Figure::Time => cell.time,
                Figure::Cpu => cell.cpu,
                Figure::Memory => cell.peak_kib as f64,
            })
        };
        let base = value(0).filter(|base| *base > 0.0)?;
        Some(value(column)? / base)
    }

    /// The geometric mean over the programs that have the figure.
    pub fn mean(&self, column: usize, figure: Figure) -> Option<f64> {
        let ratios = (0..self.names.len()).filter_map(|row| self.ratio(row, column, figure));
        let ratios: Vec<f64> = ratios.collect();
        (!ratios.is_empty()).then(|| geometric_mean(ratios.into_iter()))
    }
}

/// Runs every program under every setup: in a round each setup once, each round starting with
/// another, after a first round that is thrown away. A setup that fails leaves its place empty, and
/// one more than `SLOW` times as slow as glibc is run once: its figure needs no second digit.
pub fn run(cases: &[Case], setups: &Setups, rounds: usize) -> Grid {
    let mut grid = Grid::default();
    for (index, case) in cases.iter().enumerate() {
        eprint!("compare: {:2}/{} {:<12}", index + 1, cases.len(), case.row.name);
        let mut samples: Vec<Vec<Sample>> = vec![Vec::new(); setups.all.len()];
        let mut failed = vec![false; setups.all.len()];
        let mut is_slow = vec![false; setups.all.len()];
        let (mut output, mut base) = (None, f64::INFINITY);
        for round in 0..=rounds {
            for turn in 0..setups.all.len() {
                let column = (round.saturating_sub(1) + turn) % setups.all.len();
                if failed[column] || (is_slow[column] && round > 1) {
                    continue;
                }
                let outcome = measure(case, &setups.all[column]).and_then(|sample| {
                    same_output(sample, *output.get_or_insert(sample.output)).map_err(|what| {
                        format!("{} on {}: {what}", case.row.name, setups.all[column].name)
                    })
                });
                setups.clear();
                match outcome {
                    Ok(sample) if round > 0 => samples[column].push(sample),
                    Ok(sample) if column == 0 => base = sample.time,
                    Ok(sample) => is_slow[column] = sample.time > SLOW * base,
                    Err(message) => {
                        eprint!(" [{message}] ");
                        failed[column] = true;
                        grid.failures.push(Failure { column, message });
                    }
                }
            }
            eprint!(".");
        }
        eprintln!();
        grid.names.push(case.row.name.clone());
        grid.what.push(case.row.what.clone());
        grid.cells.push(
            samples
                .iter()
                .zip(failed)
                .map(|(runs, failed)| (!failed).then(|| cell(runs)))
                .collect(),
        );
    }
    grid
}

/// A program must say the same under every setup; the first to run is glibc.
fn same_output(sample: Sample, expected: u64) -> Result<Sample, String> {
    if sample.output == expected {
        Ok(sample)
    } else {
        Err("its output differs from glibc's".to_string())
    }
}
