//! Medians, ratios and the gate.

use crate::allocator::Allocator;
use crate::measure::Sample;
use crate::rounds::Samples;
use crate::row::Row;

/// The medians of one allocator on one row.
pub struct Cell {
    /// Median time, in the row's unit.
    pub time: f64,
    /// Half the distance between the quartiles of the times, as a part of the median.
    pub spread: f64,
    /// Median seconds of processor time.
    pub cpu: f64,
    /// Median peak memory.
    pub peak_kib: u64,
    /// The times of the rounds, in order.
    pub times: Vec<f64>,
}

/// Everything measured, ready to be shown.
pub struct Results<'run> {
    /// The rows, in order.
    pub rows: &'run [Row],
    /// The columns, glibc first.
    pub allocators: &'run [Allocator],
    /// `cells[row][allocator]`.
    pub cells: Vec<Vec<Cell>>,
}

impl<'run> Results<'run> {
    /// Summarises the samples.
    pub fn new(rows: &'run [Row], allocators: &'run [Allocator], samples: &Samples) -> Self {
        let cells = samples.iter().map(|row| row.iter().map(|runs| cell(runs)).collect()).collect();
        Self { rows, allocators, cells }
    }

    /// The column of that name, if it was measured.
    pub fn column(&self, name: &str) -> Option<usize> {
        self.allocators.iter().position(|allocator| allocator.name == name)
    }

    /// Time of one column over another, on one row.
    pub fn ratio(&self, row: usize, column: usize, base: usize) -> f64 {
        self.cells[row][column].time / self.cells[row][base].time
    }

    /// Peak memory of one column over another, on one row.
    pub fn memory_ratio(&self, row: usize, column: usize, base: usize) -> f64 {
        self.cells[row][column].peak_kib as f64 / self.cells[row][base].peak_kib.max(1) as f64
    }

    /// One line for each row on which Heapsight takes more than `limit` times as long as
    /// mimalloc.
    pub fn exceeding(&self, limit: f64) -> Vec<String> {
        let (Some(ours), Some(base)) = (self.column("heapsight"), self.column("mimalloc")) else {
            return Vec::new();
        };
        let ratios =
            self.rows.iter().enumerate().map(|(row, of)| (of, self.ratio(row, ours, base)));
        ratios
            .filter(|(_, ratio)| *ratio > limit)
            .map(|(of, ratio)| {
                format!("{}: {ratio:.2} times mimalloc's time, more than {limit}", of.name)
            })
            .collect()
    }
}

/// The geometric mean, which does not depend on which side of a ratio is named first.
pub fn geometric_mean(ratios: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) =
        ratios.fold((0.0, 0_u32), |(sum, count), ratio| (sum + ratio.ln(), count + 1));
    (sum / f64::from(count.max(1))).exp()
}

/// Summarises the samples of one allocator on one row.
pub fn cell(samples: &[Sample]) -> Cell {
    let times: Vec<f64> = samples.iter().map(|sample| sample.time).collect();
    let mut sorted = times.clone();
    sorted.sort_by(f64::total_cmp);
    let mut peaks: Vec<u64> = samples.iter().map(|sample| sample.peak_kib).collect();
    peaks.sort_unstable();
    let time = quantile(&sorted, 0.5);
    let mut cpus: Vec<f64> = samples.iter().map(|sample| sample.cpu).collect();
    cpus.sort_by(f64::total_cmp);
    let cpu = quantile(&cpus, 0.5);
    let spread = (quantile(&sorted, 0.75) - quantile(&sorted, 0.25)) / 2.0 / time;
    Cell { time, spread, cpu, peak_kib: peaks[peaks.len() / 2], times }
}

/// The value a given part of the way through sorted values, between neighbours if need be.
fn quantile(sorted: &[f64], part: f64) -> f64 {
    let place = part * (sorted.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    sorted[below] + (sorted[above] - sorted[below]) * place.fract()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(time: f64) -> Sample {
        Sample { time, cpu: time, peak_kib: 7, output: 0 }
    }

    #[test]
    fn a_cell_holds_median_and_half_the_quartile_distance() {
        let cell = cell(&[5.0, 1.0, 3.0, 2.0, 4.0].map(sample));
        assert_eq!(cell.time, 3.0);
        assert_eq!(cell.spread, 1.0 / 3.0);
        assert_eq!(cell.peak_kib, 7);
    }

    #[test]
    fn an_even_number_of_samples_meets_in_the_middle() {
        assert_eq!(cell(&[1.0, 2.0].map(sample)).time, 1.5);
    }

    #[test]
    fn doubling_and_halving_cancel_in_the_geometric_mean() {
        assert!((geometric_mean([2.0, 0.5].into_iter()) - 1.0).abs() < 1e-12);
    }
}
