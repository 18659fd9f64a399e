//! Floor 6: questions about the tracked heap. What was never freed, and by which call stacks was it
//! allocated?
//!
//! The census walks the side columns of every tracked slab and sums living blocks by site. It runs
//! while other threads may allocate; each block is seen as it was at one moment.

pub(crate) mod births;

use crate::heap::engine::Engine;
use crate::track::columns::{Columns, Record};
use crate::track::{SiteId, Tracker};
use std::collections::BTreeMap;
use std::vec::Vec;

/// Living blocks of one call site.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct SiteCensus {
    pub(crate) site: SiteId,
    pub(crate) blocks: u64,
    /// Bytes asked for.
    pub(crate) bytes: u64,
    /// Kernel ids of the threads that allocated them, ascending.
    pub(crate) threads: Vec<u32>,
}

/// The living blocks, by call site.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Census {
    pub(crate) sites: Vec<SiteCensus>,
    /// Blocks that a parent process allocated before it forked this one; in none of the sites.
    pub(crate) inherited: u64,
}

/// Sums the living blocks by call site, of those that are wanted.
pub(crate) fn census(
    engine: &Engine<Tracker>,
    is_wanted: impl Fn(&Tracker, Record) -> bool,
) -> Census {
    let mut inherited = 0;
    let mut sites = BTreeMap::<SiteId, SiteCensus>::new();
    engine.for_each_tracked(|slab| {
        let Some(columns) = Columns::of(slab) else { return };
        for index in 0..slab.capacity().min(columns.slots()) {
            let record = columns.read(index).filter(|record| is_wanted(&engine.observer, *record));
            let Some(record) = record else { continue };
            if engine.observer.is_inherited(record) {
                inherited += 1;
                continue;
            }
            let thread = engine.observer.thread_id(record);
            let site = sites.entry(record.site).or_insert_with(|| SiteCensus {
                site: record.site,
                blocks: 0,
                bytes: 0,
                threads: Vec::new(),
            });
            site.blocks += 1;
            site.bytes += record.size as u64;
            if let Err(place) = site.threads.binary_search(&thread) {
                site.threads.insert(place, thread);
            }
        }
    });
    Census { sites: sites.into_values().collect(), inherited }
}
