//! The forms of a report, side by side.

use super::lsan::{LsanForm, write_lsan};
use super::model::{LeakReport, MemoryStats};
use super::text::{self, Style, write_text};
use super::{json, markdown, sarif};
use std::io::{self, Write};

/// What a report looks like.
#[derive(Clone, Debug)]
pub(crate) enum Form {
    Text(Style),
    Json,
    Sarif,
    Markdown,
    Lsan(LsanForm),
}

/// Writes the statistics alone.
pub(crate) fn write_stats(
    stats: &MemoryStats,
    is_tracking: bool,
    form: &Form,
    sink: &mut dyn Write,
) -> io::Result<()> {
    match form {
        Form::Text(style) => text::write_stats(stats, is_tracking, sink, *style),
        Form::Json => json::write_stats_json(stats, sink),
        Form::Markdown => markdown::write_stats(stats, sink),
        // What only knows of leaks has nothing to say of a program that none were looked for in.
        Form::Sarif => sarif::write_nothing(sink),
        Form::Lsan(_) => Ok(()),
    }
}

impl Form {
    /// Writes the whole report.
    pub(crate) fn write(&self, report: &LeakReport, sink: &mut dyn Write) -> io::Result<()> {
        match self {
            Self::Text(style) => write_text(report, sink, *style),
            Self::Json => json::write_json(report, sink),
            Self::Sarif => sarif::write_sarif(report, sink),
            Self::Markdown => markdown::write_markdown(report, sink),
            Self::Lsan(form) => write_lsan(report, form, sink),
        }
    }
}
