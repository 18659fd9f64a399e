//! What a check has found, while the world is stopped: sums of the blocks by class and call site,
//! and for the largest block of each group who holds it. All in scratch memory.

use super::findings::Class;
use super::marks::Marks;
use super::paths::{self, End, Step, Trace};
use super::scratch::{NoMemory, Vector};
use super::spans::Place;
use super::table::{Key, Table};
use super::terms::Terms;
use crate::mem::scan::WORD;
use crate::track::columns::Record;
use crate::track::{SiteId, Tracker};

/// See the module.
#[derive(Debug)]
pub(crate) struct Collected {
    /// The keys of the groups, by number.
    groups: Table,
    pub(crate) sums: Vector<Sum>,
    /// Group and thread: who allocated blocks of a group.
    threads: Table,
    /// The blocks of paths.
    pub(crate) hops: Vector<Place>,
    /// Cycle and site: what the cycles consist of.
    members: Table,
    pub(crate) member_sums: Vector<MemberSum>,
    /// Blocks that a parent process allocated before it forked this one; in no group.
    pub(crate) inherited: u64,
    /// The leaked blocks one by one, where they are asked for.
    pub(crate) listed: Vector<Listed>,
    /// The block that is asked about: what it has in common with others, and the number of the
    /// thread that allocated it. Its sum is the last one, and in no group.
    pub(crate) asked: Option<(Common, u32)>,
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
    place: Place,
    pub(crate) cycle: Option<usize>,
    /// Who holds the largest block.
    pub(crate) trace: Trace,
    /// Where its steps are among the hops.
    pub(crate) first_hop: usize,
}

/// A site's share of a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemberSum {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
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

/// Steps that all paths of a check together may take.
const BUDGET: u64 = 1 << 20;

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

impl Collected {
    /// Sums up the tracked blocks that are asked about, and the one at `asked` by itself.
    ///
    /// # Safety
    /// The blocks in use are mapped but for the holes.
    #[inline(never)]
    pub(super) unsafe fn of(
        marks: &Marks,
        tracker: &Tracker,
        terms: &Terms<'_>,
        asked: Option<Place>,
    ) -> Result<Self, NoMemory> {
        let mut collected = Self {
            groups: Table::new(),
            sums: Vector::new(),
            threads: Table::new(),
            hops: Vector::new(),
            members: Table::new(),
            member_sums: Vector::new(),
            inherited: 0,
            listed: Vector::new(),
            asked: None,
        };
        let mut last = None;
        for_each_block(marks, |place| {
            let record = marks.record(place).filter(|record| terms.want(*record));
            let Some(record) = record else { return Ok(()) };
            if tracker.is_inherited(record) {
                collected.inherited += 1;
                return Ok(());
            }
            let common = common_of(marks, place, Some(record), terms);
            let (_, steps) = marks.held(place.number);
            let seen = Seen { record, place, common, steps };
            let group = collected.add(seen, tracker, &mut last)?;
            let is_listed = terms.lists_blocks && common.class != Class::Reachable;
            if is_listed {
                collected.listed.push(Listed { group, address: place.start, size: record.size })?;
            }
            Ok(())
        })?;
        if let Some(place) = asked {
            collected.add_asked(marks, tracker, place, terms)?;
        }
        collected.name_members(marks)?;
        // SAFETY: the caller's.
        unsafe { collected.trace_paths(marks)? };
        Ok(collected)
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
        if record.size > sum.largest || (record.size == sum.largest && steps < sum.steps) {
            (sum.largest, sum.steps, sum.place) = (record.size, steps, place);
        }
        Ok(group)
    }

    fn add_asked(
        &mut self,
        marks: &Marks,
        tracker: &Tracker,
        place: Place,
        terms: &Terms<'_>,
    ) -> Result<(), NoMemory> {
        let record = marks.record(place);
        let thread = record.map_or(0, |record| tracker.thread_id(record));
        self.asked = Some((common_of(marks, place, record, terms), thread));
        let bytes = record.map_or_else(|| marks.usable(place), |record| record.size) as u64;
        self.sums.push(Sum { blocks: 1, bytes, ..Sum::new(place) })
    }

    /// What the groups have in common, by number.
    pub(crate) fn commons(&self) -> impl Iterator<Item = Option<Common>> + use<'_> {
        self.groups.keys().iter().map(|key| Common::of(*key))
    }

    /// Group and thread.
    pub(crate) fn threads(&self) -> impl Iterator<Item = (usize, u32)> + use<'_> {
        self.threads.keys().iter().map(|[group, thread]| (*group as usize, *thread as u32))
    }

    /// Cycle, site and share.
    pub(crate) fn members(
        &self,
    ) -> impl Iterator<Item = (usize, Option<SiteId>, MemberSum)> + use<'_> {
        self.members
            .keys()
            .iter()
            .zip(self.member_sums.iter())
            .map(|([cycle, site], sum)| (*cycle as usize, SiteId::from_number(*site as u32), *sum))
    }

    /// Sums up the cycles of which a block is the largest of its group.
    fn name_members(&mut self, marks: &Marks) -> Result<(), NoMemory> {
        let mut wanted = Table::new();
        for sum in self.sums.iter_mut() {
            sum.cycle = marks.cycle(sum.place.number);
            if let Some(cycle) = sum.cycle {
                wanted.number([cycle as u64, 0])?;
            }
        }
        if wanted.keys().is_empty() {
            return Ok(());
        }
        for_each_block(marks, |place| {
            let cycle = marks.cycle(place.number).map(|cycle| cycle as u64);
            let Some(cycle) = cycle.filter(|cycle| wanted.find([*cycle, 0]).is_some()) else {
                return Ok(());
            };
            let record = marks.record(place);
            let site = record.map_or(SiteId::UNKNOWN, |record| record.site);
            let (member, is_new) = self.members.number([cycle, u64::from(site.number())])?;
            if is_new {
                self.member_sums.push(MemberSum::default())?;
            }
            let size = record.map_or_else(|| marks.usable(place), |record| record.size);
            let sum = &mut self.member_sums[member];
            (sum.blocks, sum.bytes) = (sum.blocks + 1, sum.bytes + size as u64);
            Ok(())
        })
    }

    /// # Safety
    /// As [`Self::of`].
    unsafe fn trace_paths(&mut self, marks: &Marks) -> Result<(), NoMemory> {
        let mut budget = BUDGET;
        // SAFETY: the caller's.
        let outwards = |held: Place| unsafe { marks.holder(held.number) };
        for sum in self.sums.iter_mut() {
            sum.first_hop = self.hops.len();
            let first = outwards(sum.place);
            sum.trace = paths::trace(first, outwards, &mut budget, &mut self.hops)?;
        }
        Ok(())
    }
}

impl Sum {
    const fn new(place: Place) -> Self {
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

impl Marks {
    /// Who holds a block. Of the holder, the place is that of the pointer.
    ///
    /// # Safety
    /// As [`Collected::of`].
    unsafe fn holder(&self, number: usize) -> Step<Place> {
        match self.held(number).0 {
            0 => Step::Beginning,
            holder if holder & Self::IN_ROOT != 0 => Step::Root(holder & !Self::IN_ROOT),
            holder if holder & Self::CYCLE != 0 => Step::Beginning,
            holder if holder & Self::BLOCK != 0 => {
                // SAFETY: the caller's.
                Step::Block(unsafe { self.pointer(self.place(Self::block_in(holder)), number) })
            }
            holder => self.find(holder).map_or(Step::Root(holder), Step::Block),
        }
    }

    /// Where in a block the pointer to another one is: to its start, if there is such a one, and if
    /// not, rather into what was asked for than behind that.
    ///
    /// # Safety
    /// As [`Collected::of`].
    unsafe fn pointer(&self, from: Place, to: usize) -> Place {
        let words = (0..self.size(from) / WORD).map(|word| word * WORD).filter_map(|offset| {
            // SAFETY: a word of a block in use.
            let value = unsafe { self.word(from.start + offset) };
            let place = self.find(value).filter(|place| place.number == to)?;
            Some((place.offset != 0, place.offset >= self.size(place), offset))
        });
        // Without one its owner, which could not be stopped, has changed it since.
        let (_, _, offset) = words.min().unwrap_or_default();
        Place { offset, ..from }
    }

    /// The cycle that a block is of.
    fn cycle(&self, number: usize) -> Option<usize> {
        let (holder, _) = self.held(number);
        (self.is_lost(number) && holder & Self::CYCLE != 0).then_some(holder >> 2)
    }
}

/// `record`: `None` for a block that is not tracked.
#[inline(always)]
fn common_of(marks: &Marks, place: Place, record: Option<Record>, terms: &Terms<'_>) -> Common {
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

/// Visits the blocks in use, ascending.
fn for_each_block(
    marks: &Marks,
    mut visit: impl FnMut(Place) -> Result<(), NoMemory>,
) -> Result<(), NoMemory> {
    for (number, span) in marks.spans().iter().enumerate() {
        for index in marks.live_of(span) {
            visit(span.place(number as u32, index))?;
        }
    }
    Ok(())
}
