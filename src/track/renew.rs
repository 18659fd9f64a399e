//! A forked child's ledger.
//!
//! The child begins with a ledger of its own, at the same addresses, because stacks that are known
//! must stay known: what it inherits refers to them. The tables that only grow are copied;
//! counters, threads and time begin anew. The parent goes on meanwhile, in the same file if there
//! is one: what it appends is whole before it is counted, and what is copied too much does no harm.

use super::ledger::{Ledger, Pages};
use crate::base::sync::Ordering;
use crate::format::layout::{Check, HEADER_LEN, Header, SectionId, Shared, Site};
use crate::os::{memory, process};
use core::ptr::{self, NonNull};

/// Sections whose records the child keeps; of the others it keeps the numbers that stand for
/// "none", and the places of shards and threads.
const KEPT: [SectionId; 5] =
    [SectionId::Strings, SectionId::Modules, SectionId::Frames, SectionId::Nodes, SectionId::Sites];
const EMPTIED: [SectionId; 3] = [SectionId::Chunks, SectionId::Timeline, SectionId::Events];

impl Ledger {
    /// Puts the child's ledger in place of the parent's. No other thread runs. `false`: what is
    /// known did not fit into the pages that were given, and they are given back.
    pub(super) fn renew(&self, given: Option<Pages>) -> bool {
        if self.header().is_none() {
            return true;
        }
        let len = self.len();
        let fits = |pages: &Pages| pages.len == len && self.copy_to(*pages);
        let fitting = given.filter(fits);
        if let (Some(pages), None) = (given, fitting) {
            pages.release();
        }
        if let Some(pages) = fitting.or_else(|| Pages::private(len).filter(fits)) {
            self.replace(pages);
        }
        given.is_some() == fitting.is_some()
    }

    /// Maps the child's pages where the parent's are.
    fn replace(&self, pages: Pages) {
        let (Some(header), len) = (self.header(), pages.len) else { return };
        // SAFETY: both are ours and that long; what the child needs of the old one was copied.
        let is_done = unsafe { memory::replace(NonNull::from(header).cast(), pages.start, len) };
        if !is_done {
            return pages.release();
        }
        self.start_clock(header);
        self.is_file.store(pages.is_file, Ordering::Relaxed);
        macro_rules! moved {
            ($($table:ident)*) => { $(self.$table.moved(pages.is_file);)* };
        }
        moved!(strings modules frames nodes sites threads shards chunks points events wides);
    }

    /// `false`: there is no room.
    fn copy_to(&self, pages: Pages) -> bool {
        let Some(header) = self.header() else { return false };
        let from = ptr::from_ref(header).cast::<u8>();
        let copy = |offset: usize, len: usize| {
            // SAFETY: both are at least that long, and the new one is nobody else's.
            unsafe {
                ptr::copy_nonoverlapping(from.add(offset), pages.start.as_ptr().add(offset), len)
            };
        };
        copy(0, HEADER_LEN);
        // SAFETY: a copy of a header.
        let new = unsafe { pages.start.cast::<Header>().as_ref() };
        for id in KEPT {
            let section = &new.sections[id as usize];
            let stride = section.stride.load(Ordering::Relaxed) as usize;
            let len = section.count.load(Ordering::Acquire) as usize * stride;
            let offset = section.offset.load(Ordering::Relaxed) as usize;
            if !pages.has_room(offset, len) {
                return false;
            }
            copy(offset, len);
        }
        let sites = &new.sections[SectionId::Sites as usize];
        let start = sites.offset.load(Ordering::Relaxed) as usize;
        for number in 0..sites.count.load(Ordering::Relaxed) as usize {
            // SAFETY: a record that was copied just now; nobody else has the pages.
            let site = unsafe { &*pages.start.as_ptr().add(start).cast::<Site>().add(number) };
            site.first_clock.store(0, Ordering::Relaxed);
        }
        // Shards and threads keep their places, but nothing in them.
        for id in [SectionId::Shards, SectionId::Threads] {
            let section = &new.sections[id as usize];
            let len = section.count.load(Ordering::Relaxed) as usize
                * section.stride.load(Ordering::Relaxed) as usize;
            if !pages.has_room(section.offset.load(Ordering::Relaxed) as usize, len) {
                return false;
            }
        }
        begin_anew(new);
        true
    }
}

fn begin_anew(header: &Header) {
    for id in EMPTIED {
        header.sections[id as usize].count.store(0, Ordering::Relaxed);
    }
    header.sections[SectionId::Wides as usize].count.store(1, Ordering::Relaxed);
    let parent = header.pid.load(Ordering::Relaxed);
    header.forked_from.store(parent, Ordering::Relaxed);
    header.pid.store(process::id(), Ordering::Relaxed);
    for number in [&header.unseen, &header.refused_stacks, &header.tick_later] {
        number.store(0, Ordering::Relaxed);
    }
    // SAFETY: plain numbers, of which zero is a valid value; the header is not in use yet.
    unsafe { (&raw const header.shared).cast_mut().write_bytes(0, 1) };
    // What the parent was asked is the parent's business; the handler of the signal is inherited.
    let signal = header.check.signal.load(Ordering::Relaxed);
    // SAFETY: as above.
    unsafe { (&raw const header.check).cast_mut().write_bytes(0, 1) };
    header.check.signal.store(signal, Ordering::Relaxed);
    const { assert!(size_of::<Shared>() == 64 && size_of::<Check>() == 64) };
}
