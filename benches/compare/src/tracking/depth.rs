//! What one block costs, by the depth of the call stack that asks for it.

use std::path::Path;

use super::cases::Case;
use crate::programs::row;
use crate::row::{Clock, Row};

/// The patterns of `workloads/depth.c`, and what they are.
pub const PATTERNS: [(&str, &str); 3] = [
    ("same", "a block at a time from one call stack"),
    ("varying", "a block at a time, the three topmost frames from 512 combinations at random"),
    ("fifo", "1000 blocks of 16 to 271 bytes in use, the oldest goes first"),
];

/// Frames beneath `malloc`, main and what calls it included.
pub const DEPTHS: [u32; 3] = [10, 30, 100];

/// Every pattern at every depth.
pub fn cases(program: &Path, percent: u32) -> Vec<Case> {
    let pairs = (percent * 10_000).to_string();
    let case = |(pattern, what): (&str, &str), depth: u32| {
        let arguments = [pattern, &depth.to_string(), &pairs];
        let name = format!("{pattern}-{depth}");
        let row = row(&name, what.to_string(), program.to_path_buf(), &arguments);
        Case::from(Row { clock: Clock::Own, ..row })
    };
    let at = |pattern| DEPTHS.map(|depth| case(pattern, depth));
    PATTERNS.iter().flat_map(|pattern| at(*pattern)).collect()
}
