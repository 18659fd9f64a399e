//! Every figure of a run, for programs: times of all rounds, medians, spreads and peaks.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::arguments::Arguments;
use crate::machine::Machine;
use crate::results::Results;
use crate::row::{Absent, Clock};

#[derive(Serialize)]
struct Document<'run> {
    machine: &'run str,
    load: f64,
    rounds: usize,
    percent: u32,
    allocators: BTreeMap<&'run str, &'run str>,
    rows: Vec<Row<'run>>,
    absent: BTreeMap<&'run str, &'run str>,
}

#[derive(Serialize)]
struct Row<'run> {
    name: &'run str,
    what: &'run str,
    unit: &'static str,
    allocators: BTreeMap<&'run str, Cell<'run>>,
}

#[derive(Serialize)]
struct Cell<'run> {
    median: f64,
    spread: f64,
    peak_kib: u64,
    ratio_to_glibc: f64,
    times: &'run [f64],
}

/// The document as indented JSON.
pub fn render(
    results: &Results,
    absent: &[Absent],
    machine: &Machine,
    arguments: &Arguments,
) -> Result<String, String> {
    let allocators = results.allocators;
    let rows = results.rows.iter().enumerate().map(|(index, row)| Row {
        name: &row.name,
        what: &row.what,
        unit: match row.clock {
            Clock::Own => "ns/operation",
            Clock::Wall => "s",
        },
        allocators: allocators
            .iter()
            .zip(&results.cells[index])
            .enumerate()
            .map(|(column, (allocator, cell))| {
                let ratio_to_glibc = results.ratio(index, column, 0);
                let (median, spread, peak_kib) = (cell.time, cell.spread, cell.peak_kib);
                let times = cell.times.as_slice();
                let cell = Cell { median, spread, peak_kib, ratio_to_glibc, times };
                (allocator.name.as_str(), cell)
            })
            .collect(),
    });
    let document = Document {
        machine: &machine.description,
        load: machine.load,
        rounds: arguments.rounds,
        percent: arguments.percent,
        allocators: allocators.iter().map(|one| (&*one.name, &*one.version)).collect(),
        rows: rows.collect(),
        absent: absent.iter().map(|row| (row.name, row.reason.as_str())).collect(),
    };
    let mut text = serde_json::to_string_pretty(&document)
        .map_err(|error| format!("cannot write the results as JSON: {error}"))?;
    text.push('\n');
    Ok(text)
}
