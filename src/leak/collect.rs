//! What a check has found, while the world is stopped: sums of the blocks by class and call site,
//! and for the largest block of each group who holds it. All in scratch memory.

use super::marks::Marks;
use super::paths::{self, Step};
use super::scratch::{NoMemory, Vector};
use super::spans::Place;
use super::table::Table;
use super::terms::Terms;
use super::totals::{Common, Sum, Totals, common_of};
use crate::mem::scan::WORD;
use crate::track::{SiteId, Tracker};

/// See the module.
#[derive(Debug)]
pub(crate) struct Collected {
    pub(crate) totals: Totals,
    /// The blocks of paths.
    pub(crate) hops: Vector<Place>,
    /// Cycle and site: what the cycles consist of.
    members: Table,
    pub(crate) member_sums: Vector<MemberSum>,
    /// The block that is asked about: what it has in common with others, and the number of the
    /// thread that allocated it. Its sum is the last one, and in no group.
    pub(crate) asked: Option<(Common, u32)>,
}

/// A site's share of a cycle.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct MemberSum {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// Steps that all paths of a check together may take.
const BUDGET: u64 = 1 << 20;

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
            totals: Totals::of(marks, tracker, terms)?,
            hops: Vector::new(),
            members: Table::new(),
            member_sums: Vector::new(),
            asked: None,
        };
        if let Some(place) = asked {
            collected.add_asked(marks, tracker, place, terms)?;
        }
        collected.name_members(marks)?;
        // SAFETY: the caller's.
        unsafe { collected.trace_paths(marks)? };
        Ok(collected)
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
        let mut sum = Sum::new(place);
        (sum.blocks, sum.bytes) = (1, bytes);
        self.totals.sums.push(sum)
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
        for sum in self.totals.sums.iter_mut() {
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
        for sum in self.totals.sums.iter_mut() {
            sum.first_hop = self.hops.len();
            let first = outwards(sum.place);
            sum.trace = paths::trace(first, outwards, &mut budget, &mut self.hops)?;
        }
        Ok(())
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
