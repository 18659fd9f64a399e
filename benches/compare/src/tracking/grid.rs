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
    /// `cells[program][setup]`; nothing where a run failed, or the setup cannot run the program.
    pub cells: Vec<Vec<Option<Cell>>>,
    /// Where a shorter run was measured, glibc's of the same length.
    pub shorter: Vec<Vec<Option<Cell>>>,
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

/// From this many times glibc's time on, one round is enough: the figure needs no second digit.
pub const SLOW: f64 = 10.0;

/// From this many times glibc's time on, a peer has run once, on a shorter program.
pub const PEER_SLOW: f64 = 6.0;

/// Rounds of the peers: ours are the ones whose figures need many.
pub const PEER_ROUNDS: usize = 3;

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
        let value = |cell: &Cell| match figure {
            Figure::Time => cell.time,
            Figure::Cpu => cell.cpu,
            Figure::Memory => cell.peak_kib as f64,
        };
        let cells = &self.cells[program];
        let base = self.shorter[program].get(column)?.as_ref().or(cells[0].as_ref())?;
        let ratio = value(cells.get(column)?.as_ref()?) / value(base);
        ratio.is_finite().then_some(ratio)
    }

    /// The geometric mean over the programs that have the figure.
    pub fn mean(&self, column: usize, figure: Figure) -> Option<f64> {
        let ratios = (0..self.names.len()).filter_map(|row| self.ratio(row, column, figure));
        let ratios: Vec<f64> = ratios.collect();
        (!ratios.is_empty()).then(|| geometric_mean(ratios.into_iter()))
    }
}

/// Runs every program under every setup: in a round each setup once, each round starting with
/// another, after a first round that is thrown away. `shorter` has the same programs, shorter.
pub fn run(cases: &[Case], shorter: &[Case], setups: &Setups, rounds: usize) -> Grid {
    let mut grid = Grid::default();
    for (index, (case, short)) in cases.iter().zip(shorter).enumerate() {
        eprint!("compare: {:2}/{} {:<12}", index + 1, cases.len(), case.row.name);
        let mut runs = Runs::new(case, setups);
        runs.slow_peers(short);
        for round in 0..=rounds {
            runs.round(round);
            eprint!(".");
        }
        eprintln!();
        grid.take(runs);
    }
    grid
}

/// The runs of one program.
struct Runs<'run> {
    case: &'run Case,
    setups: &'run Setups,
    columns: Vec<Column>,
    /// What glibc printed, and how long it took.
    output: Option<u64>,
    base: f64,
    failures: Vec<Failure>,
}

/// The runs of one program under one setup.
#[derive(Clone, Default)]
struct Column {
    samples: Vec<Sample>,
    /// glibc's, if a shorter run was measured.
    shorter: Option<Sample>,
    /// Rounds from this one on are left out.
    end: Option<usize>,
    failed: bool,
}

impl<'run> Runs<'run> {
    fn new(case: &'run Case, setups: &'run Setups) -> Self {
        let serves = |column| setups.serves(column, &case.row.name);
        let column = |column| Column { failed: !serves(column), ..Column::default() };
        let columns = (0..setups.all.len()).map(column).collect();
        Self { case, setups, columns, output: None, base: f64::INFINITY, failures: Vec::new() }
    }

    /// Runs the peers on the shorter program: those that are slow have their figures by that.
    fn slow_peers(&mut self, short: &Case) {
        let peers: Vec<usize> = (0..self.columns.len())
            .filter(|column| self.setups.is_peer(*column) && !self.columns[*column].failed)
            .collect();
        if peers.is_empty() {
            return;
        }
        // The first run finds its pages cold.
        let base = measure(short, self.setups, 0).and_then(|_| measure(short, self.setups, 0));
        let Ok(base) = base else { return };
        for column in peers {
            eprint!(",");
            let run = measure(short, self.setups, column);
            self.setups.clear();
            match run.and_then(|sample| self.same_output(column, sample, base.output)) {
                Ok(sample) if sample.time > PEER_SLOW * base.time => {
                    let end = Some(0);
                    let (samples, shorter) = (vec![sample], Some(base));
                    self.columns[column] = Column { samples, shorter, end, failed: false };
                }
                Ok(_) => self.columns[column].end = Some(PEER_ROUNDS + 1),
                Err(message) => self.fail(column, message),
            }
        }
    }

    /// Runs each setup once. Round 0 is thrown away, but tells which setups are slow.
    fn round(&mut self, round: usize) {
        for turn in 0..self.columns.len() {
            let column = (round.saturating_sub(1) + turn) % self.columns.len();
            let of = &self.columns[column];
            let is_warm = round == 0 && self.setups.is_peer(column);
            if of.failed || is_warm || of.end.is_some_and(|end| round >= end) {
                continue;
            }
            let run = measure(self.case, self.setups, column);
            self.setups.clear();
            let run = run.and_then(|sample| {
                let expected = *self.output.get_or_insert(sample.output);
                self.same_output(column, sample, expected)
            });
            match run {
                Ok(sample) if round > 0 => self.columns[column].samples.push(sample),
                Ok(sample) if column == 0 => self.base = sample.time,
                Ok(sample) if sample.time > SLOW * self.base => self.columns[column].end = Some(2),
                Ok(_) => {}
                Err(message) => self.fail(column, message),
            }
        }
    }

    /// A program must say the same under every setup; the first to run is glibc.
    fn same_output(&self, column: usize, sample: Sample, expected: u64) -> Result<Sample, String> {
        match sample.output == expected {
            true => Ok(sample),
            false => {
                let (program, setup) = (&self.case.row.name, &self.setups.all[column].name);
                Err(format!("{program} on {setup}: its output differs from glibc's"))
            }
        }
    }

    fn fail(&mut self, column: usize, message: String) {
        eprint!(" [{message}] ");
        self.columns[column].failed = true;
        self.failures.push(Failure { column, message });
    }
}

impl Grid {
    fn take(&mut self, runs: Runs<'_>) {
        self.names.push(runs.case.row.name.clone());
        self.what.push(runs.case.row.what.clone());
        self.failures.extend(runs.failures);
        let bases = runs.columns.iter().map(|of| of.shorter.map(|base| cell(&[base])));
        self.shorter.push(bases.collect());
        let cells = runs.columns.iter().map(|of| {
            let is_measured = !of.failed && !of.samples.is_empty();
            is_measured.then(|| cell(&of.samples))
        });
        self.cells.push(cells.collect());
    }
}
