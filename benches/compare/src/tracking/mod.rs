//! `compare tracking`: what the tracking modes cost, beside heap profilers.
//!
//! Whole programs run on plain glibc, on Heapsight in each of its modes, under heaptrack, under
//! jemalloc's profiler and with dhat-rs, interleaved as everything here is; every figure is a ratio
//! to glibc. A program that does nothing but allocate tells what one block costs at which depth,
//! and callgrind counts instructions where clocks are too coarse.

mod callgrind;
pub mod cases;
mod depth;
mod document;
mod gate;
mod grid;
mod instructions;
mod json;
mod options;
mod server;
pub mod setups;
mod stages;

use crate::machine::Machine;
use crate::measure;
use crate::programs::Scratch;
use crate::{build, write};

use cases::Case;
use grid::Grid;
use instructions::Instructions;
use options::Options;
use setups::Setups;
use stages::Stage;

/// Everything one run found out.
struct Findings {
    options: Options,
    machine: Machine,
    setups: Setups,
    /// What is missing of the programs, setups and tools, and why.
    absent: Vec<String>,
    programs: Grid,
    depths: Grid,
    instructions: Vec<Instructions>,
    stages: Vec<Stage>,
}

/// Runs everything asked for; returns what exceeds the gate.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    let machine = Machine::observe();
    if machine.is_busy() {
        let load = machine.load;
        eprintln!("compare: the machine is busy (load {load}); the figures will be noisy");
    }
    let built = build::build(&[])?;
    let scratch = Scratch::new()?;
    let mut absent = Vec::new();
    let setups = Setups::find(built, &options, &scratch, &mut absent)?;
    let cases = cases::prepare(&scratch, options.percent, &options.only, &mut absent)?;
    // For slow peers, and for callgrind: valgrind runs programs some fifty times slower.
    let inputs = scratch.inside("shorter")?;
    let shorter = cases::prepare(&inputs, options.shortened(), &options.only, &mut Vec::new())?;
    let programs = grid::run(&cases, &shorter, &setups, options.rounds);
    let depth = cases::compile(&scratch, "depth.c")?;
    let depths = match options.only.is_empty() {
        true => {
            let of = |percent| depth::cases(&depth, percent);
            grid::run(&of(options.percent), &of(options.shortened()), &setups, options.rounds)
        }
        false => Grid::default(),
    };
    let (mut instructions, mut stages) = (Vec::new(), Vec::new());
    if !options.instructions {
        absent.push("Instruction counts: not asked for (`--no-instructions`)".to_string());
    } else if callgrind::is_installed() {
        instructions = instructions::count(&shorter, &setups, &scratch, &mut absent);
        if options.only.is_empty() {
            stages = stages::count(&depth, &setups, &scratch, &mut absent);
        }
    } else {
        absent.push("Instruction counts: valgrind is not installed".to_string());
    }
    let findings =
        Findings { options, machine, setups, absent, programs, depths, instructions, stages };
    let exceeded = gate::exceeded(&findings);
    let text = document::render(&findings, &exceeded);
    println!("{text}");
    if let Some(path) = findings.options.document() {
        write(&path, &text)?;
    }
    if let Some(path) = &findings.options.json {
        write(path, &json::render(&findings, &exceeded)?)?;
    }
    Ok(if findings.options.gate { exceeded } else { Vec::new() })
}

/// Runs a case once under a setup.
fn measure(case: &Case, setups: &Setups, column: usize) -> Result<measure::Sample, String> {
    let (row, setup) = (setups.row(column, &case.row), &setups.all[column]);
    match &case.server {
        Some(server) => server.measure(&row, setup),
        None => measure::measure(&row, setup),
    }
}
