//! `heapsight attach`: changes what a running process records, through its ledger.

use std::thread;
use std::time::{Duration, Instant};

use heapsight::ledger::{self, Mode};
use heapsight::options::Track;

use crate::args::viewing::AttachArgs;
use crate::failure::Failure;
use crate::page;
use crate::view::source::{Source, SourceError};

/// How often it is asked whether the process has followed.
const LOOK: Duration = Duration::from_millis(20);

/// Asks, and waits for the process to follow.
pub(crate) fn attach(args: &AttachArgs) -> Result<(), Failure> {
    let source = Source::find(&args.ledger)?;
    let before = source.read()?;
    if !before.is_alive {
        let name = before.path.display();
        return Err(Failure::Question(format!(
            "the process that wrote '{name}' has ended: there is nothing to attach to"
        )));
    }
    let wanted = mode(&args.track);
    ledger::request(&before.path, wanted)
        .map_err(|error| SourceError::Unreadable { path: before.path.clone(), error })?;
    let patience = Duration::try_from_secs_f64(args.wait.max(0.0)).unwrap_or(Duration::MAX);
    let (since, pid) = (Instant::now(), before.snapshot.process.pid);
    while source.read()?.snapshot.tracking.mode != wanted {
        if since.elapsed() >= patience {
            return Err(Failure::Patience(format!(
                "process {pid} was asked for --track {}, and will follow when it next allocates",
                args.track
            )));
        }
        thread::sleep(LOOK);
    }
    Ok(page::print(&format!("process {pid} now records: --track {}\n", args.track))?)
}

/// The mode that a checked word stands for.
fn mode(word: &str) -> Mode {
    match Track::parse(word.as_bytes()) {
        Ok(Track::Stats) => Mode::Stats,
        Ok(Track::Sample { bytes }) => Mode::Sample { bytes },
        Ok(Track::Full) => Mode::Full,
        Ok(Track::Off) | Err(_) => Mode::Off,
    }
}
