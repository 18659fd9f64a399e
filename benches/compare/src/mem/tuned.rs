//! Beside a glibc that is told what it gets wrong: where its copies and fills should change over,
//! by `GLIBC_TUNABLES`, which only counts at the start of a process. So another one measures.

use std::process::Command;

use super::cells::{Cell, Ground};
use super::options::Options;
use super::time::Timed;

/// What this machine's caches ask for: registers up to half the first level, or up to the second,
/// and past the caches from 3/8 of the last level that a core can use.
pub fn tunables() -> String {
    let features = heapsight::features();
    let [first, second, third] = features.caches;
    format!(
        "glibc.cpu.x86_rep_movsb_threshold={}:glibc.cpu.x86_rep_stosb_threshold={second}:\
         glibc.cpu.x86_non_temporal_threshold={}",
        first / 2,
        third / 8 * 3
    )
}

/// The smallest size that any of it is about.
const LEAST: usize = 2304;

/// Measures in a process of its own.
pub fn measure(options: &Options) -> Result<Vec<Cell>, String> {
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(own)
        .args(["mem", "--tuned", "--rounds", &options.rounds.to_string()])
        .args(["--largest", &(options.largest >> 20).to_string()])
        .env("GLIBC_TUNABLES", tunables())
        .output()
        .map_err(|error| error.to_string())?;
    if !output.status.success() {
        return Err(format!("beside tuned glibc: {}", output.status));
    }
    String::from_utf8_lossy(&output.stdout).lines().map(read).collect()
}

/// The other process's part: a line a cell.
pub fn tell(options: &Options) {
    let mut ground = Ground::new(options.rounds, options.largest);
    for cell in ground.measure("copy").into_iter().chain(ground.measure("fill")) {
        if cell.len >= LEAST && matches!(cell.routine, "memcpy" | "memset") {
            let [base, ours] = [cell.times[0].time, cell.times[1].time];
            println!("{};{};{};{base};{ours}", cell.routine, cell.len, cell.how);
        }
    }
}

fn read(line: &str) -> Result<Cell, String> {
    let bad = || format!("beside tuned glibc: {line:?}");
    let words: Vec<&str> = line.split(';').collect();
    let [routine, len, how, base, ours] = words[..] else { return Err(bad()) };
    let routine = match routine {
        "memcpy" => "memcpy beside tuned glibc",
        "memset" => "memset beside tuned glibc",
        _ => return Err(bad()),
    };
    let ways = ["aligned", "misaligned", "apart", "with 0", "with 0xaa"];
    let how = ways.into_iter().find(|way| *way == how).ok_or_else(bad)?;
    let time = |word: &str| word.parse::<f64>().map_err(|_| bad());
    let (len, base, ours) = (len.parse().map_err(|_| bad())?, time(base)?, time(ours)?);
    let times = vec![Timed { time: base, ratio: 1.0 }, Timed { time: ours, ratio: base / ours }];
    Ok(Cell { routine, len, how, times })
}
