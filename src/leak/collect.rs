//! What a check has found, while the world is stopped: sums of the blocks by class and call site,
//! and for the largest block of each group who holds it. All in scratch memory.

use super::classes::Loss;
use super::findings::Class;
use super::marks::{Marks, Place};
use super::paths::{self, End, Step, Trace};
use super::scratch::{NoMemory, Vector};
use super::table::{Key, Table};
use super::unreached::Lost;
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
    /// Component and site: what the cycles consist of.
    members: Table,
    pub(crate) member_sums: Vector<MemberSum>,
    /// Blocks that a parent process allocated before it forked this one; in no group.
    pub(crate) inherited: u64,
}

/// A group of blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sum {
    pub(crate) blocks: u64,
    /// Bytes asked for.
    pub(crate) bytes: u64,
    /// The largest block: its size, its place, and of a cycle's block the component.
    largest: usize,
    place: Place,
    pub(crate) component: u32,
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
const BUDGET: u64 = 1 << 24;

/// A block in use, as the sums see it.
#[derive(Clone, Copy, Debug)]
struct Seen {
    record: Record,
    place: Place,
    common: Common,
    component: u32,
}

/// The group that the block before was put into: blocks of one site lie together.
#[derive(Clone, Copy, Debug)]
struct Last {
    common: Common,
    group: usize,
    thread: u32,
}

impl Collected {
    /// Sums up all tracked blocks.
    pub(crate) fn of(marks: &Marks, lost: &Lost, tracker: &Tracker) -> Result<Self, NoMemory> {
        let mut collected = Self {
            groups: Table::new(),
            sums: Vector::new(),
            threads: Table::new(),
            hops: Vector::new(),
            members: Table::new(),
            member_sums: Vector::new(),
            inherited: 0,
        };
        let mut last = None;
        for_each_block(marks, |place, node| {
            let Some(record) = marks.record(place) else { return Ok(()) };
            if tracker.is_inherited(record) {
                collected.inherited += 1;
                return Ok(());
            }
            let component = node.map_or(0, |node| lost.losses.component(node));
            let common = common_of(marks, lost, place, node, record.site);
            collected.add(Seen { record, place, common, component }, tracker, &mut last)
        })?;
        collected.name_members(marks, lost)?;
        collected.trace_paths(marks)?;
        Ok(collected)
    }

    fn add(
        &mut self,
        seen: Seen,
        tracker: &Tracker,
        last: &mut Option<Last>,
    ) -> Result<(), NoMemory> {
        let Seen { record, place, common, component } = seen;
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
        if record.size > sum.largest || sum.blocks == 1 {
            (sum.largest, sum.place, sum.component) = (record.size, place, component);
        }
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

    /// Component, site and share.
    pub(crate) fn members(
        &self,
    ) -> impl Iterator<Item = (u32, Option<SiteId>, MemberSum)> + use<'_> {
        self.members.keys().iter().zip(self.member_sums.iter()).map(|([component, site], sum)| {
            (*component as u32, SiteId::from_number(*site as u32), *sum)
        })
    }

    /// Sums up the cycles of which a block is the largest of its group.
    fn name_members(&mut self, marks: &Marks, lost: &Lost) -> Result<(), NoMemory> {
        let mut wanted = Table::new();
        for (common, sum) in self.groups.keys().iter().zip(self.sums.iter()) {
            if Common::of(*common).is_some_and(|common| common.class == Class::Cycle) {
                wanted.number([u64::from(sum.component), 0])?;
            }
        }
        if wanted.keys().is_empty() {
            return Ok(());
        }
        for_each_block(marks, |place, node| {
            let component = node.map(|node| u64::from(lost.losses.component(node)));
            let Some(component) = component.filter(|part| wanted.find([*part, 0]).is_some()) else {
                return Ok(());
            };
            let record = marks.record(place);
            let site = record.map_or(SiteId::UNKNOWN, |record| record.site);
            let (member, is_new) = self.members.number([component, u64::from(site.number())])?;
            if is_new {
                self.member_sums.push(MemberSum::default())?;
            }
            let size = record.map_or_else(|| marks.usable(place), |record| record.size);
            let sum = &mut self.member_sums[member];
            (sum.blocks, sum.bytes) = (sum.blocks + 1, sum.bytes + size as u64);
            Ok(())
        })
    }

    fn trace_paths(&mut self, marks: &Marks) -> Result<(), NoMemory> {
        let mut budget = BUDGET;
        for sum in self.sums.iter_mut() {
            let outwards = |held: Place| marks.holder(held.number);
            sum.first_hop = self.hops.len();
            let first = marks.holder(sum.place.number);
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
            place,
            component: 0,
            trace: Trace { end: End::Unknown, hops: 0, omitted: 0 },
            first_hop: 0,
        }
    }
}

impl Marks {
    /// Who holds a block. Of the holder, the place is that of the pointer.
    fn holder(&self, number: usize) -> Step<Place> {
        match self.cell(number) {
            0 => Step::Beginning,
            cell if cell & Self::IN_ROOT != 0 => Step::Root(cell & !Self::IN_ROOT),
            cell => self.find(cell).map_or(Step::Root(cell), Step::Block),
        }
    }
}

fn common_of(
    marks: &Marks,
    lost: &Lost,
    place: Place,
    node: Option<u32>,
    site: SiteId,
) -> Common {
    let reached = |class| {
        let is_interior = marks.is_interior(place.number);
        Common { class, is_interior, site, beginning: None }
    };
    let Some(node) = node else {
        let is_possible = marks.is_possible(place.number);
        return reached(if is_possible { Class::Possible } else { Class::Reachable });
    };
    let unreached = |class| Common { class, is_interior: false, site, beginning: None };
    match lost.losses.loss(node) {
        Loss::Lost => unreached(Class::Lost),
        Loss::Cycle => unreached(Class::Cycle),
        Loss::Indirect => {
            let beginning = lost.place(marks, lost.losses.tie(node).beginning);
            let record = beginning.and_then(|place| marks.record(place));
            let site = record.map_or(SiteId::UNKNOWN, |record| record.site);
            Common { beginning: Some(site), ..unreached(Class::Indirect) }
        }
    }
}

/// Visits the blocks in use, ascending, and tells of those unreached which node of the graph of
/// losses they are.
fn for_each_block(
    marks: &Marks,
    mut visit: impl FnMut(Place, Option<u32>) -> Result<(), NoMemory>,
) -> Result<(), NoMemory> {
    let mut nodes = 0;
    for (number, span) in marks.spans().iter().enumerate() {
        for index in marks.live_of(span) {
            let place = Place {
                span: number as u32,
                index,
                number: span.first + index as usize,
                start: span.block(index),
                offset: 0,
            };
            let is_unreached = marks.is_unreached(place.number);
            let node = is_unreached.then_some(nodes);
            nodes += u32::from(is_unreached);
            visit(place, node)?;
        }
    }
    Ok(())
}
