//! `compare leaks`: do LeakSanitizer and valgrind call the same blocks lost?
//!
//! Every program runs once under each of the three, none of them rebuilt. What they call lost is
//! compared in blocks and bytes; each difference must have a reason that is known.

mod cases;
mod document;
mod options;
mod reasons;
mod tools;

use std::path::PathBuf;

use crate::programs::Scratch;
use crate::write;

use cases::Case;
use options::Options;
use tools::{Lost, Tool, Tools};

/// What the three have said of a program.
pub struct Compared {
    name: &'static str,
    command: String,
    ours: Result<Lost, String>,
    lsan: Result<Lost, String>,
    valgrind: Result<Lost, String>,
}

/// LeakSanitizer's library, as gcc brings it.
const LSAN: [&str; 2] =
    ["/usr/lib/x86_64-linux-gnu/liblsan.so.0", "/usr/lib/aarch64-linux-gnu/liblsan.so.0"];

/// Where LeakSanitizer's library is.
pub fn lsan_library() -> Result<PathBuf, String> {
    let found = LSAN.map(PathBuf::from).into_iter().find(|path| path.exists());
    found.ok_or_else(|| "liblsan.so.0 is not there (Debian's package liblsan0)".to_string())
}

/// Runs everything asked for; returns what has no explanation.
pub fn run(words: impl Iterator<Item = String>) -> Result<Vec<String>, String> {
    let Some(options) = Options::parse(words)? else {
        println!("{}", options::USAGE);
        return Ok(Vec::new());
    };
    let lsan = lsan_library()?;
    if cases::find("valgrind").is_none() {
        return Err("valgrind is not there".to_string());
    }
    let scratch = Scratch::new()?;
    let heapsight = options
        .library
        .canonicalize()
        .map_err(|error| format!("{}: {error}", options.library.display()))?;
    let tools = Tools { heapsight, lsan, scratch: scratch.path().to_path_buf() };
    let (cases, absent) = cases::prepare(scratch.path(), &options.only)?;
    let compared: Vec<_> = cases.iter().map(|case| compare(&tools, case)).collect();
    let text = document::render(&compared, &absent, &options);
    println!("{text}");
    if let Some(path) = &options.out {
        write(path, &text)?;
    }
    let unexplained = compared.iter().flat_map(reasons::unexplained).collect();
    Ok(if options.gate { unexplained } else { Vec::new() })
}

fn compare(tools: &Tools, case: &Case) -> Compared {
    eprintln!("compare: leaks of {}", case.name);
    let run = |tool| tools.run(tool, case);
    Compared {
        name: case.name,
        command: format!("{} {}", case.name, case.arguments.join(" ")),
        ours: run(Tool::Heapsight),
        lsan: run(Tool::LeakSanitizer),
        valgrind: run(Tool::Valgrind),
    }
}
