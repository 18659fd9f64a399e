//! `compare search`: what a search for leaks costs, beside LeakSanitizer's.
//!
//! One program links very many blocks into a list, a tree and a graph, in an order that has nothing
//! to do with that of their addresses, and asks for a search itself: of Heapsight, and of
//! LeakSanitizer's library, preloaded as Heapsight is. LeakSanitizer stops the program for the
//! whole of it. Heapsight can also be asked from outside; the program then stands still while it
//! copies itself, and the copy searches.

mod document;
mod options;
mod program;

use std::path::{Path, PathBuf};

use crate::leaks::lsan_library;
use crate::machine::Machine;
use crate::programs::Scratch;
use crate::tracking::cases;
use crate::{allocator, build, write};

use options::Options;
use program::{Blocks, Program, Tool, absolute};

/// Shapes of the blocks.
const SHAPES: [&str; 3] = ["list", "tree", "graph"];
/// Bytes of a block of the first table.
const BLOCK: u64 = 32;
/// Bytes of a block while the program stands still: many small ones, and fewer larger ones.
const STANDING: [u64; 3] = [64, 256, 4096];
/// How many times as fast as LeakSanitizer's a search must be.
const FASTER: f64 = 5.0;
/// How many milliseconds the program may stand still.
const PAUSE: f64 = 50.0;

/// Ours and LeakSanitizer's, each the median over the rounds.
struct Pair {
    blocks: Blocks,
    ours: f64,
    theirs: f64,
}

impl Pair {
    fn ratio(&self) -> f64 {
        self.theirs / self.ours
    }
}

/// Everything one run found out.
struct Findings {
    options: Options,
    machine: Machine,
    version: String,
    /// Seconds of searches that the program asks for.
    searches: Vec<Pair>,
    /// Seconds that the program needs to walk along its list.
    walk: f64,
    /// Milliseconds for which it stands still.
    pauses: Vec<Pair>,
}

/// Runs everything; returns the limits that were broken.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    let machine = Machine::observe();
    let built = build::build(&[])?;
    let version = allocator::heapsight(&built.workload, &options.library)?.version;
    let scratch = Scratch::new()?;
    let program = program(&scratch, &options)?;
    let searches = SHAPES.map(|shape| {
        search(&program, Blocks { shape, count: options.blocks, bytes: BLOCK }, options.rounds)
    });
    let list = Blocks { shape: "list", count: options.blocks, bytes: BLOCK };
    let walks = (0..options.rounds).map(|_| program.walk(list)).collect::<Result<Vec<_>, _>>()?;
    let pauses = STANDING.map(|bytes| {
        let count = (options.mebibytes << 20) / bytes;
        stand_still(&program, Blocks { shape: "tree", count, bytes }, options.rounds)
    });
    let (searches, pauses) = (all(searches)?, all(pauses)?);
    let findings = Findings { options, machine, version, searches, walk: median(walks), pauses };
    let text = document::render(&findings);
    println!("{text}");
    if let Some(path) = &findings.options.out {
        write(path, &text)?;
    }
    Ok(if findings.options.gate { findings.broken() } else { Vec::new() })
}

fn program(scratch: &Scratch, options: &Options) -> Result<Program, String> {
    let heapsight = absolute(&options.library)?;
    let command = heapsight.parent().unwrap_or(Path::new("")).join("heapsight");
    Ok(Program {
        path: cases::compile(scratch, "linked.c")?,
        heapsight,
        command,
        lsan: lsan_library()?,
        scratch: PathBuf::from(scratch.path()),
    })
}

fn all<const N: usize>(pairs: [Result<Pair, String>; N]) -> Result<Vec<Pair>, String> {
    pairs.into_iter().collect()
}

/// Searches by both, in turns.
fn search(program: &Program, blocks: Blocks, rounds: usize) -> Result<Pair, String> {
    let Blocks { shape, count, .. } = blocks;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("compare: a {shape} of {count} blocks, round {} of {rounds}", round + 1);
        ours.push(program.search(Tool::Heapsight, blocks)?);
        theirs.push(program.search(Tool::LeakSanitizer, blocks)?);
    }
    Ok(Pair { blocks, ours: median(ours), theirs: median(theirs) })
}

/// Pauses by both, in turns; LeakSanitizer's is its whole search.
fn stand_still(program: &Program, blocks: Blocks, rounds: usize) -> Result<Pair, String> {
    let Blocks { count, bytes, .. } = blocks;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        eprintln!("compare: {count} blocks of {bytes} bytes, round {} of {rounds}", round + 1);
        ours.push(program.pause(blocks)?);
        theirs.push(program.search(Tool::LeakSanitizer, blocks)? * 1e3);
    }
    Ok(Pair { blocks, ours: median(ours), theirs: median(theirs) })
}

fn median(mut samples: Vec<f64>) -> f64 {
    samples.sort_by(f64::total_cmp);
    samples.get(samples.len() / 2).copied().unwrap_or(f64::NAN)
}

impl Findings {
    /// The limits that were not kept.
    fn broken(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for pair in self.searches.iter().filter(|pair| pair.ratio() < FASTER) {
            let (shape, ratio) = (pair.blocks.shape, pair.ratio());
            lines.push(format!("searching a {shape} is {ratio:.1} times as fast, not {FASTER}"));
        }
        for pair in self.pauses.iter().filter(|pair| pair.ours > PAUSE) {
            let (bytes, pause) = (pair.blocks.bytes, pair.ours);
            lines.push(format!(
                "with blocks of {bytes} bytes it stands still for {pause:.0} ms, not {PAUSE}"
            ));
        }
        lines
    }
}
