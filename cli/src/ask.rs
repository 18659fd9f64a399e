//! Asking a running process for a leak report, through its ledger, and waiting for it.

use std::fs;
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use heapsight::LeakReport;
use heapsight::ledger::{LeakCheck, Mode, Progress, Why};
use heapsight::symbols;
use rustix::process::{Pid, Signal, kill_process};

use crate::failure::Failure;
use crate::view::source::{Ledger, Source, SourceError};

/// How often it is asked how far the process is.
const LOOK: Duration = Duration::from_millis(5);
/// How often a process that has not noticed gets the signal, from then on: one that allocates
/// notices without, and a thread that was busy when the last one came left the request alone.
const SIGNAL: Duration = Duration::from_millis(100);

/// A process that can be asked.
pub(crate) struct Process {
    ledger: Ledger,
    patience: Duration,
}

impl Process {
    /// The one that `target`, a process id or a ledger, stands for. It runs and records every
    /// block.
    pub(crate) fn find(target: &Path, patience: Duration) -> Result<Self, Failure> {
        let ledger = Source::find(target)?.read()?;
        let pid = ledger.snapshot.process.pid;
        if !ledger.is_alive {
            let name = ledger.path.display();
            return Err(Failure::Question(format!(
                "the process that wrote '{name}' has ended, and its memory is gone: what it had \
                 in use at its end, 'heapsight report {name} --by live' shows"
            )));
        }
        if ledger.snapshot.tracking.mode != Mode::Full {
            return Err(Failure::Question(format!(
                "process {pid} does not record every block, so nobody can tell which are leaked: \
                 'heapsight attach {pid} --track full' has it do so from there on"
            )));
        }
        Ok(Self { ledger, patience })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.ledger.snapshot.process.pid
    }

    /// Asks, and waits for the answer. `address`: what is asked about besides; zero: nothing.
    pub(crate) fn ask(&self, address: u64) -> Result<LeakReport, Failure> {
        let since = Instant::now();
        let check = self.turn(address, since)?;
        let pid = self.pid();
        let unreadable = |error: io::Error| SourceError::Unreadable {
            path: self.ledger.path.clone(),
            error: error.into(),
        };
        let signal = check.signal().map_err(unreadable)?;
        let mut signalled = since;
        loop {
            let progress = check.progress().map_err(unreadable)?;
            match progress {
                Progress::Reported { .. } => return read(check.report()),
                Progress::Failed(why) => return Err(Failure::Check(failed(pid, why))),
                Progress::Looking | Progress::Asked if since.elapsed() >= self.patience => {
                    let seconds = self.patience.as_secs_f64();
                    return Err(Failure::Patience(late(pid, seconds, progress, signal)));
                }
                // What is left of a process that has ended while its copy looks is the copy.
                Progress::Looking => {}
                Progress::Asked if !runs(pid) => {
                    return Err(Failure::Check(format!(
                        "process {pid} has ended before it could look: there is no report"
                    )));
                }
                Progress::Asked => {
                    if signal.is_some() && signalled.elapsed() >= SIGNAL {
                        wake(pid);
                        signalled = Instant::now();
                    }
                }
            }
            thread::sleep(LOOK);
        }
    }

    /// Waits until nobody else asks.
    fn turn(&self, address: u64, since: Instant) -> Result<LeakCheck, Failure> {
        let path = &self.ledger.path;
        loop {
            let asked = LeakCheck::ask(path, address);
            let asked =
                asked.map_err(|error| SourceError::Unreadable { path: path.clone(), error })?;
            if let Some(check) = asked {
                return Ok(check);
            }
            if since.elapsed() >= self.patience {
                return Err(Failure::Patience(format!(
                    "somebody else has been asking process {} for {} s: try again, or wait longer \
                     with --wait",
                    self.pid(),
                    self.patience.as_secs_f64()
                )));
            }
            thread::sleep(LOOK);
        }
    }
}

fn runs(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_some_and(|state| !matches!(state, 'Z' | 'X'))
}

/// Sends the signal that makes the process look. If it may not be sent, the process looks when it
/// allocates, all the same.
fn wake(pid: u32) {
    if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
        let _unsent = kill_process(pid, Signal::URG);
    }
}

fn read(path: &Path) -> Result<LeakReport, Failure> {
    let name = path.display();
    let bytes = fs::read(path)
        .map_err(|error| Failure::Check(format!("cannot read the report '{name}': {error}")))?;
    symbols::read_report(&bytes)
        .map_err(|error| Failure::Check(format!("the report '{name}' is not understood: {error}")))
}

fn failed(pid: u32, why: Why) -> String {
    match why {
        Why::Refused(error) => format!(
            "process {pid} was not allowed to copy itself: {}: its limit of processes (ulimit -u) \
             or its sandbox forbids it; it can still report at exit, with leaks=on",
            io::Error::from_raw_os_error(error)
        ),
        Why::NoMemory => format!(
            "process {pid} had no memory left to look: it needs about a byte for every eight of \
             its heap"
        ),
        Why::Unwritten(0) => format!("process {pid} could not write its report beside the ledger"),
        Why::Unwritten(error) => format!(
            "process {pid} could not write its report beside the ledger: {}",
            io::Error::from_raw_os_error(error)
        ),
        Why::Died(status) => format!(
            "the copy of process {pid} that was looking came to a bad end (wait status {status}): \
             the process itself goes on; ask again, and if that fails, too, see 'dmesg' for the \
             out-of-memory killer"
        ),
        Why::Unknown(number) => format!(
            "process {pid} runs on another version of Heapsight, whose answer {number} is not \
             known here"
        ),
    }
}

fn late(pid: u32, seconds: f64, progress: Progress, signal: Option<i32>) -> String {
    match (progress, signal) {
        (Progress::Looking, _) => format!(
            "process {pid} has no report yet after {seconds} s: it goes on looking; wait longer \
             with --wait"
        ),
        (_, None) => format!(
            "process {pid} has not looked within {seconds} s: it handles SIGURG itself, so it \
             looks only when it allocates; ask again when it is busy, or wait longer with --wait"
        ),
        (_, Some(_)) => format!(
            "process {pid} has not looked within {seconds} s: it is stopped, or blocks SIGURG, or \
             handles SIGURG itself by now; it will look when it next allocates"
        ),
    }
}
