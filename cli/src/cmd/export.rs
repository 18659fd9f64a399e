//! `heapsight export`: a ledger for other viewers.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use crate::args::viewing::{ExportArgs, Format};
use crate::export::flamegraph::Look;
use crate::export::{Profile, collapsed, firefox, flamegraph, heaptrack, pprof, speedscope};
use crate::failure::Failure;
use crate::page;
use crate::view::metric::Metric;
use crate::view::names::Names;
use crate::view::numbers::size;
use crate::view::source::{Ledger, Source};

/// Writes the file and says, on stderr, what it is called.
pub(crate) fn export(args: &ExportArgs) -> Result<(), Failure> {
    let metric = metric(args)?;
    let ledger = Source::find(&args.ledger)?.read()?;
    let mut names = Names::new(!args.no_symbols);
    page::resolve(&mut names, &ledger.snapshot, &Profile::nodes(&ledger.snapshot));
    let profile = Profile::of(&ledger.snapshot, &names);
    let path = match &args.output {
        Some(path) if path == Path::new("-") => return to_stdout(&profile, args, metric),
        Some(path) => path.clone(),
        None => default_path(&ledger, args.format),
    };
    let fail = |error| Failure::File { path: path.clone(), error };
    let mut sink = BufWriter::new(File::create(&path).map_err(fail)?);
    let written = write(&profile, args, metric, &mut sink).and_then(|()| sink.flush());
    if let Err(error) = written {
        // Half a file would look like a whole one.
        let _removed = fs::remove_file(&path);
        return Err(fail(error));
    }
    let len = size(fs::metadata(&path).map_or(0, |data| data.len()));
    anstream::eprintln!("heapsight: wrote {} ({len}){}", path.display(), hint(args.format, &path));
    Ok(())
}

fn to_stdout(profile: &Profile<'_>, args: &ExportArgs, metric: Metric) -> Result<(), Failure> {
    let mut sink = BufWriter::new(io::stdout().lock());
    match write(profile, args, metric, &mut sink).and_then(|()| sink.flush()) {
        // Whoever closed the pipe has read enough.
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

/// What is measured, if the format leaves a choice.
fn metric(args: &ExportArgs) -> Result<Metric, Failure> {
    let has_all = matches!(args.format, Format::Pprof | Format::Firefox | Format::Heaptrack);
    match args.metric {
        Some(metric) if has_all => Err(Failure::Question(format!(
            "--metric {} has no meaning here: the file has all values it can have; choose one in \
             the viewer",
            metric.word()
        ))),
        Some(metric) if !metric.is_additive() => Err(Failure::Question(format!(
            "--metric {} has no sums to draw: choose another, as peak, live or bytes",
            metric.word()
        ))),
        metric => Ok(metric.unwrap_or(Metric::Peak)),
    }
}

fn write(
    profile: &Profile<'_>,
    args: &ExportArgs,
    metric: Metric,
    sink: &mut dyn Write,
) -> io::Result<()> {
    match args.format {
        Format::Pprof => pprof::write(profile, sink),
        Format::Collapsed => collapsed::write(profile, metric, sink),
        Format::Flamegraph => {
            let look = Look { title: args.title.clone(), is_icicle: args.icicle };
            flamegraph::write(profile, metric, &look, sink)
        }
        Format::Firefox => firefox::write(profile, sink),
        Format::Speedscope => speedscope::write(profile, metric, sink),
        Format::Heaptrack => {
            let scale = heaptrack::write(profile, sink)?;
            if scale > 1 {
                anstream::eprintln!(
                    "heapsight: the file lists blocks one by one, and there are too many: each \
                     stands for {scale}; bytes are exact, counts are not"
                );
            }
            Ok(())
        }
    }
}

/// Beside the ledger's name, in the working directory.
fn default_path(ledger: &Ledger, format: Format) -> PathBuf {
    let stem = ledger.path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = match format {
        Format::Pprof => "pb.gz",
        Format::Collapsed => "collapsed.txt",
        Format::Flamegraph => "svg",
        Format::Firefox => "firefox.json",
        Format::Speedscope => "speedscope.json",
        Format::Heaptrack => "heaptrack.gz",
    };
    format!("{stem}.{ending}").into()
}

/// How to look at the file.
fn hint(format: Format, path: &Path) -> String {
    let path = path.display();
    match format {
        Format::Pprof => format!(": go tool pprof -http : {path}"),
        Format::Collapsed => String::new(),
        Format::Flamegraph => ": open it in a browser".into(),
        Format::Firefox => ": load it at https://profiler.firefox.com".into(),
        Format::Speedscope => ": load it at https://www.speedscope.app".into(),
        Format::Heaptrack => format!(": heaptrack_gui {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::{Args, Command};
    use clap::Parser;

    fn args(line: &str) -> ExportArgs {
        let words = ["heapsight", "export", "x"].into_iter().chain(line.split_whitespace());
        let Command::Export(args) = Args::parse_from(words).command else { panic!("export") };
        args
    }

    #[test]
    fn a_metric_is_for_formats_with_one() {
        let of = |line: &str| metric(&args(line)).map_err(|failure| failure.to_string());
        assert_eq!(of("--format flamegraph"), Ok(Metric::Peak));
        assert_eq!(of("--format collapsed --metric live"), Ok(Metric::Live));
        assert!(of("--format pprof --metric live").is_err_and(|it| it.contains("all values")));
        assert!(of("--format collapsed --metric lifetime").is_err_and(|it| it.contains("no sums")));
    }

    #[test]
    fn files_are_named_after_the_ledger() {
        let snapshot = heapsight::ledger::Snapshot::default();
        let ledger = Ledger { path: "/tmp/shop.ledger".into(), snapshot, is_alive: false };
        assert_eq!(default_path(&ledger, Format::Pprof), Path::new("shop.pb.gz"));
        assert_eq!(default_path(&ledger, Format::Flamegraph), Path::new("shop.svg"));
    }
}
