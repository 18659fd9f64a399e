//! `compare mem`: the memory routines beside glibc's in the same process, beside the `memchr`
//! crate, and under whole programs, with what `docs/simd.md` promises as gates.

mod cells;
mod document;
mod engine;
mod fleet;
mod gates;
mod hole;
mod options;
mod programs;
mod routines;
mod time;
mod tuned;

use cells::{Cell, Ground};
use options::Options;

use crate::machine::Machine;
use crate::write;

/// Everything one run found out.
struct Findings {
    options: Options,
    machine: Machine,
    features: heapsight::Features,
    cells: Vec<Cell>,
    programs: Vec<programs::Program>,
    /// Nanoseconds of the first call in a process.
    first_call: f64,
}

/// Runs everything; returns the gates that were not kept.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    if options.is_first_call {
        println!("{}", programs::first_call());
        return Ok(Vec::new());
    }
    if options.is_tuned {
        tuned::tell(&options);
        return Ok(Vec::new());
    }
    let machine = Machine::observe();
    let first_call = programs::measure_first_call()?;
    if let Some(simd) = options.simd {
        let config = heapsight::Config::builder().simd(simd).build();
        heapsight::init(config.map_err(|error| error.to_string())?);
    }
    let mut ground = Ground::new(options.rounds, options.largest);
    let passes = (0..options.passes).map(|_| pass(&options, &mut ground));
    let cells = cells::middle(&passes.collect::<Result<Vec<_>, _>>()?);
    let programs = match options.only.is_empty() || options.only == "programs" {
        true => programs::measure(&options)?,
        false => Vec::new(),
    };
    let features = heapsight::features();
    let findings = Findings { options, machine, features, cells, programs, first_call };
    let text = document::render(&findings);
    println!("{text}");
    if let Some(path) = &findings.options.out {
        write(path, &text)?;
    }
    Ok(if findings.options.gate { gates::broken(&findings) } else { Vec::new() })
}

/// All cells, once.
fn pass(options: &Options, ground: &mut Ground) -> Result<Vec<Cell>, String> {
    let mut cells = ground.measure(&options.only);
    if options.only.is_empty() || options.only == "fleet" {
        cells.extend(fleet::measure(options.rounds));
    }
    if options.only.is_empty() || options.only == "engine" {
        cells.extend(engine::measure(options.rounds, options.largest));
    }
    if options.only.is_empty() || options.only == "tuned" {
        cells.extend(tuned::measure(options)?);
    }
    Ok(cells)
}
