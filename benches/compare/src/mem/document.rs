//! The page `docs/simd-performance.md`.

use std::fmt::Write as _;

use heapsight::options::Simd;

use super::Findings;
use super::cells::Cell;
use super::gates::{self, GATES, Verdict};

/// Renders everything. Writing to a string cannot fail.
pub fn render(findings: &Findings) -> String {
    let features = &findings.features;
    let [first, second, third] = features.caches.map(shown);
    let mut text = format!(
        "# What the memory routines take

Written by a command of this repository:

    cargo build --release
    cargo run --release --manifest-path benches/compare/Cargo.toml -- mem \\
        --out docs/simd-performance.md

Machine: {}; load before: {:.2}. Caches: {first}, {second}, {third}. Heapsight's choice: `{}`; a
copy by registers up to {}, past the caches from {}; a fill by `rep stosb` from {}.

Times are nanoseconds a call, hot, the lower quartile of {} rounds in which the variants take
turns; a ratio is glibc's time by ours: above 1 we are faster. Of {} such passes over all cells each
has the middle.

",
        findings.machine.description,
        findings.machine.load,
        name(features.simd),
        shown(features.copy_by_registers),
        shown(features.copy_past_caches),
        shown(features.fill_by_string),
        findings.options.rounds,
        findings.options.passes,
    );
    gates_table(&mut text, findings);
    programs_table(&mut text, findings);
    let mut routines: Vec<&str> = Vec::new();
    for cell in &findings.cells {
        if !routines.contains(&cell.routine) {
            routines.push(cell.routine);
        }
    }
    for routine in routines {
        let cells: Vec<_> = findings.cells.iter().filter(|cell| cell.routine == routine).collect();
        table(&mut text, routine, &cells);
    }
    text
}

fn gates_table(text: &mut String, findings: &Findings) {
    text.push_str(
        "## Promises\n\nThe worst cell of each range, beside what the plan of the routines \
         promises, measured on a Zen 5 with\nAVX-512. Where this processor lacks what wins \
         there, that is said, if nothing loses; it is not kept all the\nsame.\n\n| | \
         range | worst | promised | |\n\
         |---|---|---:|---:|---|\n",
    );
    for gate in GATES {
        let Some(worst) = gate.worst(findings) else { continue };
        let (id, what, how, least) = (gate.id, gate.what, gate.how(), gate.least);
        let verdict = match gate.verdict(findings, worst) {
            Verdict::Kept => "kept".to_string(),
            Verdict::NotHere(why) => format!("not met here (no {why})"),
            Verdict::Broken => "**broken**".to_string(),
        };
        let _ = writeln!(text, "| {id} | {what} {how} | x{worst:.2} | x{least:.2} | {verdict} |");
    }
    for (len, least) in gates::SCANS {
        let Some(rate) = gates::scan_rate(findings, len) else { continue };
        let verdict = match rate >= least {
            true => "kept",
            false if findings.features.simd != Simd::Avx512 => "not met here (no AVX-512)",
            false => "**broken**",
        };
        let len = shown(len);
        let _ = writeln!(
            text,
            "| G14 | leak scan of {len}, 1 % hits | {rate:.0} GB/s | {least:.0} GB/s | {verdict} |"
        );
    }
    if let Some(excess) = gates::hot_excess(findings) {
        let verdict = if excess <= gates::HOT_EXCESS { "kept" } else { "**broken**" };
        let wanted = gates::HOT_EXCESS;
        let _ = writeln!(
            text,
            "| G7 | up to 512 B, slower by at most | {excess:.2} ns | {wanted} ns | {verdict} |"
        );
    }
    let verdict = if findings.first_call <= gates::FIRST_CALL { "kept" } else { "**broken**" };
    let _ = writeln!(
        text,
        "| G18 | choosing the routines | {:.0} ns | {} ns | {verdict} |\n",
        findings.first_call,
        gates::FIRST_CALL
    );
}

fn programs_table(text: &mut String, findings: &Findings) {
    if findings.programs.is_empty() {
        return;
    }
    text.push_str(
        "## Whole programs under `libheapsight_mem.so`\n\nBeside an empty preloaded object, in \
         turns; above 1 the program is faster.\n\n| program | seconds | ratio | wanted |\n\
         |---|---:|---:|---:|\n",
    );
    for program in &findings.programs {
        let (name, seconds, ratio) = (program.name, program.seconds, program.ratio);
        let _ = writeln!(text, "| {name} | {seconds:.2} | x{ratio:.3} | x{} |", gates::PROGRAM);
    }
    text.push('\n');
}

fn table(text: &mut String, routine: &str, cells: &[&Cell]) {
    let has_crate = cells.iter().any(|cell| cell.times.len() > 2);
    let _ = write!(text, "## {routine}\n\n| bytes | | glibc | Heapsight | ratio |");
    text.push_str(if has_crate { " memchr crate |\n" } else { "\n" });
    text.push_str("|---:|---|---:|---:|---:|");
    text.push_str(if has_crate { "---:|\n" } else { "\n" });
    for cell in cells {
        let [base, ours] = [cell.times[0], cell.times[1]];
        let _ = write!(
            text,
            "| {} | {} | {:.2} | {:.2} | x{:.2} |",
            shown(cell.len),
            cell.how,
            base.time,
            ours.time,
            ours.ratio
        );
        if let Some(theirs) = cell.times.get(2) {
            let _ = write!(text, " {:.2} |", theirs.time);
        }
        text.push('\n');
    }
    text.push('\n');
}

/// Bytes, as people write them.
fn shown(bytes: usize) -> String {
    match bytes {
        usize::MAX => "no size".to_string(),
        0 => "unknown".to_string(),
        _ if bytes >= 1 << 20 && bytes % (1 << 20) == 0 => format!("{} MiB", bytes >> 20),
        _ if bytes >= 1 << 10 && bytes % (1 << 10) == 0 => format!("{} KiB", bytes >> 10),
        _ => bytes.to_string(),
    }
}

fn name(simd: Simd) -> &'static str {
    match simd {
        Simd::Auto => "auto",
        Simd::Avx512 => "avx512",
        Simd::Avx2 => "avx2",
        Simd::Sse2 => "sse2",
        Simd::Neon => "neon",
        Simd::Off => "off",
    }
}
