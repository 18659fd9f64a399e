//! The report as JSON: complete, one object.

use super::asked::Asked;
use super::model::{Leak, LeakReport, MemoryStats, Suppression};
use super::modules;
use serde::{Deserialize, Serialize};
use std::format;
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
    #[serde(skip_serializing_if = "Option::is_none")]
    pause_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    asked: Option<&'a Asked>,
}

#[derive(Serialize)]
struct StatsDocument {
    version: u32,
    program: String,
    pid: u32,
    stats: MemoryStats,
}

/// Writes the statistics alone as one JSON object and a newline.
pub(crate) fn write_stats_json(stats: &MemoryStats, mut sink: &mut dyn Write) -> io::Result<()> {
    let (program, pid) = (modules::this_program(), std::process::id());
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
        pause_ns: report.pause_ns,
        asked: report.asked.as_ref(),
    };
    serde_json::to_writer_pretty(&mut sink, &document)?;
    writeln!(sink)
}

/// Reads a report that [`write_json`] has written, as this version does.
pub(crate) fn read_json(bytes: &[u8]) -> Result<LeakReport, String> {
    #[derive(Deserialize)]
    struct Head {
        version: u32,
    }
    let head: Head = serde_json::from_slice(bytes).map_err(|error| format!("{error}"))?;
    if head.version != VERSION {
        return Err(format!("it is of version {}, and this reads {VERSION}", head.version));
    }
    serde_json::from_slice(bytes).map_err(|error| format!("{error}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[test]
    fn what_is_written_is_read_again() {
        let report = super::super::text::tests::sample();
        let mut text = Vec::new();
        write_json(&report, &mut text).expect("a vector takes everything");
        assert_eq!(read_json(&text), Ok(report));
        assert!(read_json(b"{\"version\": 99}").unwrap_err().contains("version 99"));
        assert!(read_json(&text[..text.len() / 2]).is_err());
    }
}
