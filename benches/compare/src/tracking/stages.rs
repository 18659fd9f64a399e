//! Where the instructions of a tracked block go: the library's own, by folder of its sources.

use std::collections::BTreeMap;
use std::path::Path;

use super::callgrind;
use super::depth::{DEPTHS, PATTERNS};
use super::setups::Setups;
use crate::allocator::Allocator;
use crate::programs::{Scratch, row};

/// Pairs of a short and a long run; their difference is free of what a start costs.
const PAIRS: [u64; 2] = [20_000, 60_000];

/// The setups that are taken apart, each at these depths: only `full` depends on them.
const SETUPS: [(&str, &[u32]); 3] = [("off", &[30]), ("stats", &[30]), ("full", &DEPTHS)];

/// One pattern at one depth, under one setup.
pub struct Stage {
    /// Pattern and depth.
    pub name: String,
    /// The setup.
    pub setup: &'static str,
    /// Instructions per pair by folder of the library's sources.
    pub folders: BTreeMap<String, f64>,
}

/// Counts every pattern under every setup.
pub fn count(
    depth: &Path,
    setups: &Setups,
    scratch: &Scratch,
    absent: &mut Vec<String>,
) -> Vec<Stage> {
    let mut stages = Vec::new();
    for (name, depths) in SETUPS {
        let Some(column) = setups.column(name) else { continue };
        for (pattern, _) in PATTERNS {
            for depth_of in depths {
                eprintln!("compare: stages of {pattern}-{depth_of}, {name}");
                match stage(depth, pattern, *depth_of, &setups.all[column], scratch) {
                    Ok(stage) => stages.push(Stage { setup: name, ..stage }),
                    Err(message) => {
                        eprintln!("compare: {message}");
                        absent.push(format!("Stages of {message}"));
                    }
                }
            }
        }
    }
    stages
}

fn stage(
    program: &Path,
    pattern: &str,
    depth: u32,
    setup: &Allocator,
    scratch: &Scratch,
) -> Result<Stage, String> {
    let name = format!("{pattern}-{depth}");
    let object = setup.preload.as_deref().unwrap_or(Path::new("")).to_string_lossy().into_owned();
    let run = |pairs: u64| {
        let arguments = [pattern, &depth.to_string(), &pairs.to_string()];
        let row = row(&name, String::new(), program.to_path_buf(), &arguments);
        callgrind::run(&row, setup, scratch)
    };
    let (short, long) = (run(PAIRS[0])?, run(PAIRS[1])?);
    // A run begins with a sixteenth of its pairs to warm up.
    let pairs = (PAIRS[1] - PAIRS[0]) as f64 * 17.0 / 16.0;
    let mut folders = BTreeMap::new();
    for ((of, file), cost) in &long.files {
        let before = short.files.get(&(of.clone(), file.clone())).copied().unwrap_or(0);
        let folder = match *of == object {
            true => folder(file),
            false => "other objects".to_string(),
        };
        *folders.entry(folder).or_default() += cost.saturating_sub(before) as f64 / pairs;
    }
    Ok(Stage { name, setup: "", folders })
}

/// `…/src/unwind/walk.rs` is of `unwind`.
fn folder(file: &str) -> String {
    let own = if callgrind::is_rusts(file) { None } else { file.rsplit_once("src/") };
    match own {
        Some((_, inside)) => match inside.split_once('/') {
            Some((folder, _)) => folder.to_string(),
            None => "runtime".to_string(),
        },
        None => "Rust's library".to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_those_of_the_sources() {
        assert_eq!(folder("src/unwind/walk.rs"), "unwind");
        assert_eq!(folder("/home/me/heapsight/src/track/table.rs"), "track");
        assert_eq!(folder("preload/src/lib.rs"), "runtime");
        assert_eq!(folder("/rustc/0123/library/core/src/num/mod.rs"), "Rust's library");
    }
}
