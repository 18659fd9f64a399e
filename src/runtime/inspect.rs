//! Looking at the heap from inside: statistics, leak reports, misuse stacks, the whole-heap check.

use super::leaks::leak_report;
use super::lsan::Settings;
use super::options::Track;
use super::park::Caller;
use super::rules::Rules;
use super::search::How;
use super::stderr::Stderr;
use super::{ENGINE, loaded, safety, start, tls};
use crate::base::sync::Ordering;
use crate::format::layout;
use crate::heap::census::Census;
use crate::heap::local::{LocalHeap, State};
use crate::report::{self, Form, LeakReport, MemoryStats};
use crate::track::{Recorded, SiteId};
use std::format;
use std::io::{self, Write};
use std::vec::Vec;

/// While it lives, what this thread allocates is Heapsight's own, and not observed.
#[derive(Debug)]
pub(crate) struct Unobserved {
    heap: &'static LocalHeap,
    before: bool,
}

impl Unobserved {
    pub(crate) fn begin() -> Self {
        let heap = tls::heap();
        let before = heap.state() == State::Running && heap.set_observing(true);
        Self { heap, before }
    }
}

impl Drop for Unobserved {
    fn drop(&mut self) {
        if self.heap.state() == State::Running {
            self.heap.set_observing(self.before);
        }
    }
}

/// The statistics; all zero while nothing is tracked.
pub(crate) fn stats() -> MemoryStats {
    let counters = ENGINE.observer.statistics();
    MemoryStats {
        total_allocations: counters.total_allocations,
        current_allocations: counters.current_allocations,
        peak_allocations: counters.peak_allocations,
        total_deallocations: counters.total_deallocations,
        bytes_allocated: counters.bytes_allocated,
        bytes_deallocated: counters.bytes_deallocated,
        current_bytes: counters.current_bytes,
        peak_bytes: counters.peak_bytes,
    }
}

/// Starts the totals of the statistics anew.
pub(crate) fn reset_stats() {
    ENGINE.observer.reset_statistics();
}

/// Writes the statistics.
pub(super) fn write_stats(sink: &mut dyn Write, form: &Form) -> io::Result<()> {
    report::write_stats(&stats(), is_tracking(), form, sink)
}

/// Prints the statistics to stderr.
pub(crate) fn print_stats() {
    let _unobserved = Unobserved::begin();
    let mut stderr = Stderr::buffered();
    let written = write_stats(&mut stderr, &Form::Text(Stderr::style()));
    report_failure(written.and_then(|()| stderr.flush()));
}

pub(super) fn stack_of(site: SiteId) -> (Vec<u64>, bool) {
    frames_of(ENGINE.observer.tree().frames(site))
}

pub(super) fn frames_of<'a>(frames: impl Iterator<Item = &'a layout::Frame>) -> (Vec<u64>, bool) {
    let (mut stack, mut truncated) = (Vec::new(), false);
    for frame in frames {
        let address = frame.address.load(Ordering::Relaxed);
        match frame.flags.load(Ordering::Relaxed) & layout::Frame::ENDING {
            0 => stack.push(address),
            _ => truncated |= address == layout::ending::TRUNCATED,
        }
    }
    (stack, truncated)
}

pub(super) fn notes() -> Vec<std::string::String> {
    let mut notes = Vec::new();
    let unseen = ENGINE.observer.statistics().unseen;
    if unseen > 0 {
        notes.push(format!("{unseen} allocations could not be recorded: no memory for columns"));
    }
    let refused = ENGINE.observer.stacks.refused();
    if refused > 0 {
        notes.push(format!(
            "{refused} allocations have no call stack: the ledger has no room for more stacks"
        ));
    }
    if !is_tracking() {
        notes.push("tracking is off: nothing was recorded. Use track=full.".into());
    }
    notes
}

/// Prints what is not freed to stderr; the report.
#[inline(never)]
pub(crate) fn check_for_leaks(caller: &Caller) -> LeakReport {
    let _unobserved = Unobserved::begin();
    let modules = loaded::modules();
    let rules = Rules::of(&start::config(), &Settings::now(&modules), &modules);
    let report = leak_report(caller, How::Aside, &rules);
    write_text(&report);
    report
}

/// Writes the report as text to stderr.
fn write_text(report: &LeakReport) {
    let mut stderr = Stderr::buffered();
    let written = report::write_text(report, &mut stderr, Stderr::style());
    report_failure(written.and_then(|()| stderr.flush()));
}

/// A report that stderr does not take has nowhere else to go; the exit code still tells.
pub(super) fn report_failure(written: io::Result<()>) {
    drop(written);
}

/// Bytes that were asked for, of a tracked block in use.
pub(crate) fn requested_size(address: *mut u8) -> Option<usize> {
    let slot = ENGINE.slot_of(address)?;
    ENGINE.observer.record_of(slot).map(|record| record.size)
}

/// Sums over the whole heap.
pub(crate) fn census() -> Census {
    ENGINE.census(tls::heap())
}

/// Names this moment in the ledger.
pub(crate) fn mark(name: &[u8]) {
    ENGINE.observer.ledger.note(layout::event::MARK, 0, name);
}

/// Number of contradictions in the whole heap, and of watched blocks that were damaged; no other
/// thread may use it meanwhile.
pub(crate) fn check_heap() -> usize {
    ENGINE.check() + safety::check()
}

/// What is tracked.
pub(crate) fn tracking() -> Track {
    match ENGINE.observer.mode.recorded() {
        Recorded::Nothing => Track::Off,
        Recorded::Sums => Track::Stats,
        Recorded::Samples(bytes) => Track::Sample { bytes },
        Recorded::Everything => Track::Full,
    }
}

/// Whether anything is tracked: with `track=off` statistics and leak reports are empty.
pub(crate) fn is_tracking() -> bool {
    tracking() != Track::Off
}
