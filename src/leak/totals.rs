//! What the blocks amount to, by class and call site: each group's number, bytes, threads, and its
//! largest block.
//!
//! Each part of the blocks is summed up by itself, and the parts' sums are put together in their
//! order: groups have numbers in the order in which one would come upon them.

use super::findings::Class;
use super::marks::Marks;
use super::parts::{self, Part, Parts};
use super::paths::{End, Trace};
use super::scratch::{NoMemory, Vector};
use super::spans::Place;
use super::table::{Key, Table};
use super::terms::Terms;
use crate::track::columns::Record;
use crate::track::{SiteId, Tracker};

/// See the module.
#[derive(Debug)]
pub(crate) struct Totals {
    /// The keys of the groups, by number.
    groups: Table,
    pub(crate) sums: Vector<Sum>,
    /// Group and thread: who allocated blocks of a group.
    threads: Table,
    /// Blocks that a parent process allocated before it forked this one; in no group.
    pub(crate) inherited: u64,
    /// The leaked blocks one by one, where they are asked for.
    pub(crate) listed: Vector<Listed>,
}

/// A leaked block.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Listed {
    pub(crate) group: usize,
    pub(crate) address: usize,
    /// Bytes asked for.
    pub(crate) size: usize,
}

/// A group of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub(crate) blocks: u64,
    /// Bytes asked for.
    pub(crate) bytes: u64,
    /// The largest block, of several the one that is held in the fewest steps: its size, its place,
    /// and its cycle, if it is in one.
    largest: usize,
    steps: usize,
    pub(super) place: Place,
    pub(crate) cycle: Option<usize>,
    /// Who holds the largest block.
    pub(crate) trace: Trace,
    /// Where its steps are among the hops.
    pub(crate) first_hop: usize,
}

/// What a group has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Common {
    pub(crate) class: Class,
    pub(crate) is_interior: bool,
    pub(crate) site: SiteId,
    /// Of indirect blocks: the site of the block where the loss began.
    pub(crate) beginning: Option<SiteId>,
}

const INTERIOR: u64 = 1 << 8;

impl Common {
    fn key(self) -> Key {
        let interior = if self.is_interior { INTERIOR } else { 0 };
        let site = u64::from(self.site.number()) << 32;
        let beginning = self.beginning.map_or(0, SiteId::number);
        [site | interior | self.class as u64, u64::from(beginning)]
    }

    fn of(key: Key) -> Option<Self> {
        Some(Self {
            class: Class::from_number(key[0] as u8)?,
            is_interior: key[0] & INTERIOR != 0,
            site: SiteId::from_number((key[0] >> 32) as u32)?,
            beginning: SiteId::from_number(key[1] as u32),
        })
    }
}

/// A block in use, as the sums see it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    record: Record,
    place: Place,
    common: Common,
    steps: usize,
}

/// The group that the block before was put into: blocks of one site lie together.
#[derive(Clone, Copy, Debug)]
struct Last {
    common: Common,
    group: usize,
    thread: u32,
}

/// A part of the blocks, while it is summed up.
#[derive(Debug)]
struct Share {
    part: Part,
    totals: Totals,
    done: Result<(), NoMemory>,
}

impl Totals {
    const fn new() -> Self {
        Self {
            groups: Table::new(),
            sums: Vector::new(),
            threads: Table::new(),
            inherited: 0,
            listed: Vector::new(),
        }
    }

    /// Sums up the tracked blocks that are asked about.
    pub(super) fn of(
        marks: &Marks,
        tracker: &Tracker,
        terms: &Terms<'_>,
    ) -> Result<Self, NoMemory> {
        let parts = Parts::of(marks.spans(), marks.len());
        let mut shares = parts.all.map(|part| Share { part, totals: Self::new(), done: Ok(()) });
        // SAFETY: nothing is written but each share itself.
        unsafe {
            parts::each(&mut shares[..parts.used], |share| {
                share.done = share.totals.add_part(&share.part, marks, tracker, terms);
            });
        }
        let mut totals = Self::new();
        for share in &shares {
            share.done?;
            totals.add_all(&share.totals)?;
        }
        Ok(totals)
    }

    fn add_part(
        &mut self,
        part: &Part,
        marks: &Marks,
        tracker: &Tracker,
        terms: &Terms<'_>,
    ) -> Result<(), NoMemory> {
        let mut last = None;
        for number in part.spans.clone() {
            let span = &marks.spans()[number];
            for index in marks.live_of(span) {
                let place = span.place(number as u32, index);
                let record = span.record(index).filter(|record| terms.want(*record));
                let Some(record) = record else { continue };
                if tracker.is_inherited(record) {
                    self.inherited += 1;
                    continue;
                }
                let common = common_of(marks, place, Some(record), terms);
                let (_, steps) = marks.held(place.number);
                let seen = Seen { record, place, common, steps };
                let group = self.add(seen, tracker, &mut last)?;
                if terms.lists_blocks && common.class != Class::Reachable {
                    self.listed.push(Listed { group, address: place.start, size: record.size })?;
                }
            }
        }
        Ok(())
    }

    /// Adds a block to its group, whose number this is.
    fn add(
        &mut self,
        seen: Seen,
        tracker: &Tracker,
        last: &mut Option<Last>,
    ) -> Result<usize, NoMemory> {
        let Seen { record, place, common, steps } = seen;
        let thread = record.stamp.thread();
        let group = match *last {
            Some(last) if last.common == common && last.thread == thread => last.group,
            _ => {
                let (group, is_new) = self.groups.number(common.key())?;
                if is_new {
                    self.sums.push(Sum::new(place))?;
                }
                self.threads.number([group as u64, u64::from(tracker.thread_id(record))])?;
                *last = Some(Last { common, group, thread });
                group
            }
        };
        let sum = &mut self.sums[group];
        sum.blocks += 1;
        sum.bytes += record.size as u64;
        sum.compare(record.size, steps, place);
        Ok(group)
    }

    /// Adds what the next part amounts to.
    fn add_all(&mut self, next: &Self) -> Result<(), NoMemory> {
        let mut numbers = Vector::new();
        for (key, sum) in next.groups.keys().iter().zip(next.sums.iter()) {
            let (group, is_new) = self.groups.number(*key)?;
            numbers.push(group)?;
            if is_new {
                self.sums.push(*sum)?;
                continue;
            }
            let own = &mut self.sums[group];
            own.blocks += sum.blocks;
            own.bytes += sum.bytes;
            own.compare(sum.largest, sum.steps, sum.place);
        }
        for (group, thread) in next.threads() {
            self.threads.number([numbers[group] as u64, u64::from(thread)])?;
        }
        for listed in next.listed.iter() {
            self.listed.push(Listed { group: numbers[listed.group], ..*listed })?;
        }
        self.inherited += next.inherited;
        Ok(())
    }

    /// What the groups have in common, by number.
    pub(crate) fn commons(&self) -> impl Iterator<Item = Option<Common>> + use<'_> {
        self.groups.keys().iter().map(|key| Common::of(*key))
    }

    /// Group and thread.
    pub(crate) fn threads(&self) -> impl Iterator<Item = (usize, u32)> + use<'_> {
        self.threads.keys().iter().map(|[group, thread]| (*group as usize, *thread as u32))
    }
}

impl Sum {
    /// Takes a block for the largest one if it is.
    #[inline(always)]
    fn compare(&mut self, size: usize, steps: usize, place: Place) {
        if size > self.largest || (size == self.largest && steps < self.steps) {
            (self.largest, self.steps, self.place) = (size, steps, place);
        }
    }

    pub(super) const fn new(place: Place) -> Self {
        Self {
            blocks: 0,
            bytes: 0,
            largest: 0,
            steps: usize::MAX,
            place,
            cycle: None,
            trace: Trace { end: End::Unknown, hops: 0, omitted: 0 },
            first_hop: 0,
        }
    }
}

/// `record`: `None` for a block that is not tracked.
#[inline(always)]
pub(super) fn common_of(
    marks: &Marks,
    place: Place,
    record: Option<Record>,
    terms: &Terms<'_>,
) -> Common {
    let number = place.number;
    let is_interior = marks.is_interior(number);
    let class = match (marks.is_lost(number), marks.held(number).0) {
        (false, _) if is_interior && record.is_some_and(|record| terms.doubts(record)) => {
            Class::Possible
        }
        (false, _) => Class::Reachable,
        (true, 0) => Class::Lost,
        (true, holder) if holder & Marks::CYCLE != 0 => Class::Cycle,
        (true, _) => Class::Indirect,
    };
    let is_held = class == Class::Indirect;
    let beginning = marks.beginning(number).filter(|_| is_held);
    let site = record.map_or(SiteId::UNKNOWN, |record| record.site);
    Common { class, is_interior, site, beginning }
}
