//! The ledger's reader: from bytes, which may be anything, to a [`Snapshot`].
//!
//! A file is read while its process may be writing. The header comes first, then the counts of the
//! sections, those that refer to others first ([`outline`]), then each record once, in portions.
//! Identities are complete before they are counted, so no reference of a good ledger leads
//! nowhere; counters may be moments apart. Every reference is checked all the same: in a damaged
//! file, those that lead nowhere become "none". What a snapshot occupies is bounded by a constant
//! times the file's length.

mod counters;
mod error;
pub(super) mod outline;
pub(super) mod record;
mod source;
mod tables;
mod time;

#[cfg(test)]
mod tests;

pub use error::ReadError;

use super::layout::{Header, SectionId, state};
use super::snapshot::{Mode, Process, Snapshot, State, Totals, Tracking};
use counters::Shards;
use outline::{NAMES, Outline};
use record::field;
use source::{FileSource, Source};
use std::borrow::ToOwned;
use std::fs::{self, File};
use std::path::Path;
use tables::{Tables, Texts, arguments, mode_of};
use time::{AllocationClock, Ticks, lifetime_edges};

/// Reads the ledger of a process that runs or has ended.
///
/// # Errors
///
/// The file cannot be read, or is no ledger of this version, or the parts in use are not all there.
/// The error says which; it does not name the file.
pub fn read(path: &Path) -> Result<Snapshot, ReadError> {
    // Asked before opening: to open a pipe would wait for its writer.
    if !fs::metadata(path)?.is_file() {
        return Err(ReadError::NotAFile);
    }
    let file = File::open(path)?;
    let len = file.metadata()?.len();
    snapshot(&FileSource { file, len })
}

/// Reads a ledger from memory.
///
/// # Errors
///
/// As [`read`].
pub fn from_bytes(bytes: &[u8]) -> Result<Snapshot, ReadError> {
    snapshot(bytes)
}

/// The file, if its header is that of a ledger of this version.
pub(super) fn checked(file: File) -> Result<File, ReadError> {
    let len = file.metadata()?.len();
    let source = FileSource { file, len };
    Outline::read(&source)?;
    Ok(source.file)
}

fn snapshot(source: &(impl Source + ?Sized)) -> Result<Snapshot, ReadError> {
    let outline = Outline::read(source)?;
    let texts = Texts::read(source, &outline)?;
    let ticks = Ticks::of(&outline);
    let tables = Tables { source, outline: &outline, texts: &texts, ticks };
    let header = outline.header();

    let shared = counters::Process::of(&outline);
    let shards = Shards::read(source, &outline)?;
    let mut sites = tables.sites()?;
    counters::add_chunks(source, &outline, shared, &mut sites)?;

    let mut threads = tables.threads(&shards)?;
    let events = tables.events(&threads)?;
    // Number 0 is no thread, nor are the places that a forked child keeps of its parent's.
    threads.retain(|thread| thread.id != 0);
    let modules = tables.modules()?;
    let (timeline, clocks) = tables.timeline()?;

    let moments = threads.iter().flat_map(|thread| [Some(thread.started_ns), thread.ended_ns]);
    let moments = moments.chain(modules.iter().map(|module| module.unloaded_ns)).flatten();
    let moments = moments.chain(events.iter().map(|event| event.ns));
    let moments = moments.chain(timeline.last().map(|point| point.ns));
    let elapsed_ns = moments.fold(ticks.last_ns(), u64::max);

    let now = (shared.clock.max(shards.total.bytes), elapsed_ns);
    let known = clocks.into_iter().zip(&timeline).map(|(clock, point)| (clock, point.ns));
    let clock = AllocationClock::new(known, now);
    for site in &mut sites {
        counters::finish(&mut site.counters, |bytes| clock.ns(bytes));
    }

    let is_estimated = mode_of(field!(header, Header, mode).into(), 0) == Mode::Sample { bytes: 0 }
        || sites.iter().any(|site| site.counters.samples > 0);
    Ok(Snapshot {
        process: process(&outline, &texts, elapsed_ns),
        tracking: Tracking {
            is_estimated,
            lifetime_edges_bytes: lifetime_edges().collect(),
            ..tracking(&outline)
        },
        totals: totals(shared, &shards, |bytes| clock.ns(bytes)),
        modules,
        frames: tables.frames()?,
        nodes: tables.nodes()?,
        sites,
        threads,
        classes: shards.classes(&outline),
        timeline,
        events,
    })
}

fn process(outline: &Outline, texts: &Texts, elapsed_ns: u64) -> Process {
    let header = outline.header();
    let forked_from = field!(header, Header, forked_from);
    let status = field!(header, Header, exit_status).cast_signed();
    Process {
        pid: field!(header, Header, pid),
        forked_from: (forked_from != 0).then_some(forked_from),
        program: texts.text(field!(header, Header, program)),
        command: arguments(texts.bytes(field!(header, Header, command))),
        writer: texts.text(field!(header, Header, writer)),
        started_unix_ns: field!(header, Header, started_unix_ns),
        elapsed_ns,
        state: match field!(header, Header, state) {
            state::EXITED => State::Exited(status),
            state::REPLACED => State::Replaced,
            state::KILLED => State::Killed(status),
            _ => State::Running,
        },
    }
}

/// What the header says of tracking.
fn tracking(outline: &Outline) -> Tracking {
    let header = outline.header();
    let sample_bytes = field!(header, Header, sample_bytes);
    let refused = NAMES.iter().zip(outline.refused).filter(|(_, refused)| *refused > 0);
    Tracking {
        mode: mode_of(field!(header, Header, mode).into(), sample_bytes),
        unseen: field!(header, Header, unseen),
        refused_stacks: field!(header, Header, refused_stacks),
        before_blocks: field!(header, Header, before_blocks),
        before_bytes: field!(header, Header, before_bytes),
        overhead_bytes: field!(header, Header, overhead_bytes),
        ledger_bytes: outline.used(),
        refused: refused.map(|(name, records)| ((*name).to_owned(), records.into())).collect(),
        ..Tracking::default()
    }
}

fn totals(shared: counters::Process, shards: &Shards, ns: impl Fn(u64) -> u64) -> Totals {
    let (current_bytes, current_allocations) = (shards.bytes(), shards.blocks());
    Totals {
        total_allocations: shards.total.allocations,
        total_deallocations: shards.total.frees,
        current_allocations,
        peak_allocations: shared.peak_blocks.max(current_allocations),
        bytes_allocated: shards.total.bytes,
        bytes_deallocated: shards.total.freed_bytes,
        current_bytes,
        peak_bytes: shared.peak_bytes.max(current_bytes),
        peak_ns: ns(shared.peak_clock),
        temporary: shards.temporary,
        reallocations: shards.reallocations,
    }
}

// All sections are read.
const _: () = assert!(SectionId::Wides as usize + 1 == NAMES.len());
