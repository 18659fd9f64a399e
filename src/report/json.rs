//! The report as JSON: complete, one object.

use super::model::{Leak, LeakReport, MemoryStats, Suppression};
use super::modules::Modules;
use serde::Serialize;
use std::io::{self, Write};
use std::string::String;

/// Version of the shape below; it changes when a field changes its meaning or goes.
const VERSION: u32 = 1;

#[derive(Serialize)]
struct Document<'a> {
    version: u32,
    program: &'a str,
    pid: u32,
    verdict: String,
    leaked_blocks: u64,
    leaked_bytes: u64,
    stats: MemoryStats,
    leaks: &'a [Leak],
    suppressions: &'a [Suppression],
    notes: &'a [String],
    overhead_bytes: u64,
}

#[derive(Serialize)]
struct StatsDocument {
    version: u32,
    program: String,
    pid: u32,
    stats: MemoryStats,
}

/// Writes the statistics alone as one JSON object and a newline.
pub(crate) fn write_stats_json(
    stats: &MemoryStats,
    modules: &Modules,
    mut sink: &mut dyn Write,
) -> io::Result<()> {
    let (program, pid) = (modules.program(), std::process::id());
    let document = StatsDocument { version: VERSION, program, pid, stats: *stats };
    serde_json::to_writer_pretty(&mut sink, &document)?;
    writeln!(sink)
}

/// Writes the report as one JSON object and a newline.
pub(crate) fn write_json(report: &LeakReport, mut sink: &mut dyn Write) -> io::Result<()> {
    let document = Document {
        version: VERSION,
        program: &report.program,
        pid: report.pid,
        verdict: report.verdict(),
        leaked_blocks: report.leaked_blocks(),
        leaked_bytes: report.leaked_bytes(),
        stats: report.stats,
        leaks: &report.leaks,
        suppressions: &report.suppressions,
        notes: &report.notes,
        overhead_bytes: report.overhead_bytes,
    };
    serde_json::to_writer_pretty(&mut sink, &document)?;
    writeln!(sink)
}
