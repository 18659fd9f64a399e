//! Every figure of a run, for programs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Findings;
use super::grid::{Figure, Grid};
use super::instructions::Instructions;
use super::stages::Stage;

#[derive(Serialize)]
struct Document<'run> {
    machine: &'run str,
    load: f64,
    rounds: usize,
    percent: u32,
    setups: BTreeMap<&'run str, &'run str>,
    programs: BTreeMap<&'run str, BTreeMap<&'run str, Run<'run>>>,
    means: BTreeMap<&'run str, Means>,
    nanoseconds_per_pair: BTreeMap<&'run str, BTreeMap<&'run str, Run<'run>>>,
    instructions: BTreeMap<&'run str, Counted>,
    stages: BTreeMap<String, &'run BTreeMap<String, f64>>,
    absent: &'run [String],
    failures: Vec<&'run str>,
    exceeded: &'run [String],
}

#[derive(Serialize)]
struct Run<'run> {
    time: f64,
    spread: f64,
    cpu_seconds: f64,
    peak_kib: u64,
    time_ratio: Option<f64>,
    cpu_ratio: Option<f64>,
    peak_ratio: Option<f64>,
    times: &'run [f64],
    /// Whether it was a shorter run, whose ratios are to glibc's at that length.
    is_shorter: bool,
}

#[derive(Serialize)]
struct Means {
    time: Option<f64>,
    cpu: Option<f64>,
    peak: Option<f64>,
}

#[derive(Serialize)]
struct Counted {
    off: u64,
    sample: u64,
    ratio: f64,
}

/// The document as indented JSON.
pub fn render<'run>(findings: &'run Findings, exceeded: &'run [String]) -> Result<String, String> {
    let grid = &findings.programs;
    let setups = &findings.setups.all;
    let means = setups.iter().enumerate().map(|(column, setup)| {
        let mean = |figure| grid.mean(column, figure);
        let means =
            Means { time: mean(Figure::Time), cpu: mean(Figure::Cpu), peak: mean(Figure::Memory) };
        (&*setup.name, means)
    });
    let counted = |of: &Instructions| Counted { off: of.off, sample: of.sample, ratio: of.ratio() };
    let stage = |of: &'run Stage| (format!("{}, {}", of.name, of.setup), &of.folders);
    let failures = grid.failures.iter().chain(&findings.depths.failures);
    let document = Document {
        machine: &findings.machine.description,
        load: findings.machine.load,
        rounds: findings.options.rounds,
        percent: findings.options.percent,
        setups: setups.iter().map(|setup| (&*setup.name, &*setup.version)).collect(),
        programs: runs(grid, findings),
        means: means.collect(),
        nanoseconds_per_pair: runs(&findings.depths, findings),
        instructions: findings.instructions.iter().map(|of| (&*of.name, counted(of))).collect(),
        stages: findings.stages.iter().map(stage).collect(),
        absent: &findings.absent,
        failures: failures.map(|failure| &*failure.message).collect(),
        exceeded,
    };
    let mut text = serde_json::to_string_pretty(&document)
        .map_err(|error| format!("cannot write the results as JSON: {error}"))?;
    text.push('\n');
    Ok(text)
}

fn runs<'run>(
    grid: &'run Grid,
    findings: &'run Findings,
) -> BTreeMap<&'run str, BTreeMap<&'run str, Run<'run>>> {
    let row = |index: usize| {
        let cells = findings.setups.all.iter().zip(&grid.cells[index]).enumerate();
        let runs = cells.filter_map(|(column, (setup, cell))| {
            let cell = cell.as_ref()?;
            let ratio = |figure| grid.ratio(index, column, figure);
            let run = Run {
                time: cell.time,
                spread: cell.spread,
                cpu_seconds: cell.cpu,
                peak_kib: cell.peak_kib,
                time_ratio: ratio(Figure::Time),
                cpu_ratio: ratio(Figure::Cpu),
                peak_ratio: ratio(Figure::Memory),
                times: &cell.times,
                is_shorter: grid.shorter[index][column].is_some(),
            };
            Some((&*setup.name, run))
        });
        runs.collect()
    };
    grid.names.iter().enumerate().map(|(index, name)| (&**name, row(index))).collect()
}
