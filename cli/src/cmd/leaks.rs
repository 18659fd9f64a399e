//! `heapsight leaks`: what a program or a process has leaked, with an exit code that says so.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Instant;

use heapsight::{LeakReport, symbols};

use crate::args::RunArgs;
use crate::args::leaking::{LeaksArgs, ReportFormat};
use crate::ask::Process;
use crate::cmd::run;
use crate::failure::Failure;
use crate::page::{self, growth};
use crate::view::growth::{Growth, Look};

/// Runs a program, or asks a process.
pub(crate) fn leaks(args: &LeaksArgs) -> Result<ExitCode, Failure> {
    let format = format(args);
    if args.growth.is_some() && !matches!(format, ReportFormat::Text | ReportFormat::Json) {
        let word = format.word();
        return Err(Failure::Question(format!(
            "{word} can tell of leaks only: what grows is shown as text or json"
        )));
    }
    let Some(target) = &args.target else {
        run::run(&as_run(args, format)?)?;
        return Ok(ExitCode::SUCCESS);
    };
    let process = Process::find(target, args.wait)?;
    let is_found = match args.growth {
        Some(looks) => {
            let growth = watch(&process, looks, args)?;
            put(args.output.as_deref(), |sink, colour| {
                write_growth(&growth, format, sink, colour)
            })?;
            !growth.growing.is_empty()
        }
        None => {
            let report = process.ask(0)?;
            put(args.output.as_deref(), |sink, colour| write(&report, format, sink, colour))?;
            report.has_leaks()
        }
    };
    Ok(if is_found { ExitCode::from(args.exit_code) } else { ExitCode::SUCCESS })
}

/// The format that is asked for, by word or by name.
fn format(args: &LeaksArgs) -> ReportFormat {
    let by_name = args.output.as_deref().map(ReportFormat::of);
    args.format.or(by_name).unwrap_or(ReportFormat::Text)
}

/// The same as a command line of `run`. The process itself writes the report, at its end.
fn as_run(args: &LeaksArgs, format: ReportFormat) -> Result<RunArgs, Failure> {
    if args.output.is_none() && format != ReportFormat::Text {
        return Err(Failure::Question(
            "a program's own output goes to the terminal: give its report a file, by --output"
                .into(),
        ));
    }
    Ok(RunArgs {
        track: Some("full".into()),
        leaks: Some("on".into()),
        leaks_exitcode: Some(args.exit_code.into()),
        report: args.output.as_ref().map(|path| path.as_os_str().into()),
        report_format: args.format.map(|format| format.word().into()),
        options: args.options.clone(),
        library: args.library.clone(),
        program: args.program.clone(),
        ..RunArgs::default()
    })
}

/// Writes growth in one of the formats that can tell it.
fn write_growth(
    growth: &Growth,
    format: ReportFormat,
    sink: &mut dyn Write,
    colour: bool,
) -> io::Result<()> {
    match format {
        ReportFormat::Json => growth::write_json(growth, sink),
        _ => growth::write_text(growth, sink, colour),
    }
}

/// Looks several times.
fn watch(process: &Process, looks: u32, args: &LeaksArgs) -> Result<Growth, Failure> {
    let begin = Instant::now();
    let mut taken = Vec::new();
    for number in 0..looks {
        // From look to look, however long each takes.
        let due = begin + args.every * number;
        thread::sleep(due.saturating_duration_since(Instant::now()));
        let seconds = begin.elapsed().as_secs_f64();
        taken.push(Look { seconds, report: process.ask(0)? });
    }
    Ok(Growth::between(&taken))
}

pub(crate) fn write(
    report: &LeakReport,
    format: ReportFormat,
    sink: &mut dyn Write,
    colour: bool,
) -> io::Result<()> {
    match format {
        ReportFormat::Text => symbols::write_text(report, sink, colour),
        ReportFormat::Json => symbols::write_json(report, sink),
        ReportFormat::Sarif => symbols::write_sarif(report, sink),
        ReportFormat::Markdown => symbols::write_markdown(report, sink),
        ReportFormat::Lsan => symbols::write_lsan(report, sink),
    }
}

/// Has something written to a file or to standard output; there with colour, which is taken out
/// where no terminal shows it.
pub(crate) fn put(
    path: Option<&Path>,
    write: impl FnOnce(&mut dyn Write, bool) -> io::Result<()>,
) -> Result<(), Failure> {
    let Some(path) = path else {
        let mut text = Vec::new();
        write(&mut text, true)?;
        return Ok(page::print(&String::from_utf8_lossy(&text))?);
    };
    let fail = |error| Failure::File { path: path.into(), error };
    let mut file = BufWriter::new(File::create(path).map_err(fail)?);
    write(&mut file, false).and_then(|()| file.flush()).map_err(fail)
}
