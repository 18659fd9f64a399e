//! The limits of what tracking may cost.

use super::Findings;
use super::grid::Figure;

/// Full tracking over glibc: the mean of the times, any time, the mean of the peaks.
pub const TIME: f64 = 1.5;
pub const ANY_TIME: f64 = 2.5;
pub const MEMORY: f64 = 1.5;
/// Sampling over no tracking, in instructions of any program.
pub const SAMPLE: f64 = 1.01;

/// One line for each limit exceeded, and for each run of the library that failed.
pub fn exceeded(findings: &Findings) -> Vec<String> {
    let grid = &findings.programs;
    let mut lines = Vec::new();
    if let Some(full) = findings.setups.column("full") {
        let over = |value: Option<f64>, limit: f64| value.filter(|value| *value > limit);
        if let Some(mean) = over(grid.mean(full, Figure::Time), TIME) {
            lines.push(format!("full: {mean:.2} times glibc's time in the mean, more than {TIME}"));
        }
        for (row, name) in grid.names.iter().enumerate() {
            if let Some(ratio) = over(grid.ratio(row, full, Figure::Time), ANY_TIME) {
                lines.push(format!(
                    "full: {ratio:.2} times glibc's time on {name}, more than {ANY_TIME}"
                ));
            }
        }
        if let Some(mean) = over(grid.mean(full, Figure::Memory), MEMORY) {
            lines.push(format!(
                "full: {mean:.2} times glibc's peak memory in the mean, more than {MEMORY}"
            ));
        }
    }
    for counted in &findings.instructions {
        let ratio = counted.ratio();
        if ratio > SAMPLE {
            let name = &counted.name;
            lines.push(format!(
                "sample: {ratio:.4} times the instructions of off on {name}, more than {SAMPLE}"
            ));
        }
    }
    if findings.options.gate && findings.instructions.is_empty() {
        lines.push("sample: its instructions were not counted".to_string());
    }
    for failure in grid.failures.iter().chain(&findings.depths.failures) {
        if findings.setups.is_ours(failure.column) {
            lines.push(format!("failed: {}", failure.message));
        }
    }
    lines
}
