//! What a check has found, as ordinary data, made after the world goes on again.

use super::collect::{Collected, MemberSum};
use super::marks::Marks;
use super::paths::End;
use super::roots::{Origin, Root};
use super::spans::Place;
use super::totals::{Common, Listed, Sum};
use crate::track::SiteId;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::collections::BTreeMap;
use std::vec::Vec;

/// How a living block stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[repr(u8)]
pub(crate) enum Class {
    /// Nothing points to it.
    Lost,
    /// Only something lost points to it.
    Indirect,
    /// It and others point to each other, and nothing else does.
    Cycle,
    /// It is reached by way of a pointer into the middle of a block, and such were to be doubted.
    Possible,
    /// It is reached.
    Reachable,
}

impl Class {
    pub(super) const fn from_number(number: u8) -> Option<Self> {
        Some(match number {
            0 => Self::Lost,
            1 => Self::Indirect,
            2 => Self::Cycle,
            3 => Self::Possible,
            4 => Self::Reachable,
            _ => return None,
        })
    }
}

/// All that was found.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Findings {
    pub(crate) groups: Vec<Group>,
    /// Blocks that a parent process allocated before it forked this one; in no group.
    pub(crate) inherited: u64,
    pub(crate) asked: Option<Asked>,
}

/// What is at an address of the heap that was asked about.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Start of the block, and its usable bytes.
    pub(crate) start: u64,
    pub(crate) usable: u64,
    /// As a group of its own; `None`: the block is free.
    pub(crate) block: Option<Group>,
}

/// Blocks of one class and call site; indirect ones also of one beginning.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Group {
    pub(crate) class: Class,
    /// Nothing holds them but by way of a pointer into the middle of a block.
    pub(crate) is_interior: bool,
    pub(crate) site: SiteId,
    pub(crate) blocks: u64,
    /// Bytes asked for.
    pub(crate) bytes: u64,
    /// Kernel ids of the threads that allocated them, ascending.
    pub(crate) threads: Vec<u32>,
    /// Who holds the largest of them; `None`: nothing does.
    pub(crate) path: Option<Path>,
    /// What the cycle of the largest of them consists of.
    pub(crate) members: Vec<Member>,
    /// The blocks one by one, address and size, where these are asked for and they are leaked.
    pub(crate) listed: Vec<(u64, u64)>,
}

/// Who holds a block, from the outside inwards.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Path {
    pub(crate) root: Holder,
    pub(crate) hops: Vec<Hop>,
    /// Steps left out before the last one.
    pub(crate) omitted: u64,
}

/// What is at the outer end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Holder {
    /// A word of a root, and the frame of its function if it is on a stack.
    Root { origin: Origin, address: u64, pc: Option<u64> },
    /// A lost block or a cycle, allocated there. It is the first of the hops.
    Lost(SiteId),
    /// The path is too long.
    Unknown,
}

/// A block that holds the next one: the pointer lies `offset` bytes into it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Hop {
    pub(crate) address: u64,
    /// Bytes asked for, or usable ones of a block that is not tracked.
    pub(crate) size: u64,
    pub(crate) offset: u64,
    /// `None`: it is not tracked.
    pub(crate) site: Option<SiteId>,
}

/// A call site's share of a cycle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Member {
    pub(crate) site: SiteId,
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl Serialize for SiteId {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_u32(self.number())
    }
}

impl<'de> Deserialize<'de> for SiteId {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let number = u32::deserialize(from)?;
        Self::from_number(number).ok_or_else(|| de::Error::custom("no site has this number"))
    }
}

/// A finished check, still in scratch memory. The records of blocks are looked up while the world
/// is stopped; all else can wait.
#[derive(Debug)]
pub(crate) struct Checked {
    pub(super) collected: Collected,
    pub(super) hops: super::scratch::Vector<RawHop>,
    pub(super) roots: super::scratch::Vector<Root>,
    /// Start of the block that is asked about, and its usable bytes.
    pub(super) asked: Option<(usize, usize)>,
}

/// A hop, with the site's number or zero.
#[derive(Clone, Copy, Debug)]
pub(crate) struct RawHop {
    address: usize,
    size: usize,
    offset: usize,
    site: u32,
}

impl RawHop {
    pub(super) fn of(marks: &Marks, place: Place) -> Self {
        let record = marks.record(place);
        Self {
            address: place.start,
            size: record.map_or_else(|| marks.usable(place), |record| record.size),
            offset: place.offset,
            site: record.map_or(0, |record| record.site.number()),
        }
    }

    fn hop(self) -> Hop {
        Hop {
            address: self.address as u64,
            size: self.size as u64,
            offset: self.offset as u64,
            site: SiteId::from_number(self.site),
        }
    }
}

impl Checked {
    /// As ordinary data. `frame_of`: in which function's frame an address of a thread's stack lies.
    pub(crate) fn findings(&self, frame_of: impl Fn(u32, usize) -> Option<usize>) -> Findings {
        let mut threads = BTreeMap::<usize, Vec<u32>>::new();
        for (group, thread) in self.collected.totals.threads() {
            threads.entry(group).or_default().push(thread);
        }
        let mut members = BTreeMap::<usize, Vec<Member>>::new();
        for (cycle, site, MemberSum { blocks, bytes }) in self.collected.members() {
            let site = site.unwrap_or(SiteId::UNKNOWN);
            members.entry(cycle).or_default().push(Member { site, blocks, bytes });
        }
        let mut listed = BTreeMap::<usize, Vec<(u64, u64)>>::new();
        for Listed { group, address, size } in self.collected.totals.listed.iter() {
            listed.entry(*group).or_default().push((*address as u64, *size as u64));
        }
        let sums =
            self.collected.totals.commons().zip(self.collected.totals.sums.iter()).enumerate();
        let group = |common: Common, sum: &Sum, threads| {
            let Common { class, is_interior, site, .. } = common;
            let cycle = sum.cycle.and_then(|cycle| members.get(&cycle));
            let members = cycle.cloned().unwrap_or_default();
            let path = self.path(sum, &frame_of);
            let (blocks, bytes) = (sum.blocks, sum.bytes);
            let listed = Vec::new();
            Group { class, is_interior, site, blocks, bytes, threads, path, members, listed }
        };
        let groups = sums.filter_map(|(number, (common, sum))| {
            let mut threads = threads.remove(&number).unwrap_or_default();
            threads.sort_unstable();
            let listed = listed.remove(&number).unwrap_or_default();
            Some(Group { listed, ..group(common?, sum, threads) })
        });
        let asked = self.asked.map(|(start, usable)| Asked {
            start: start as u64,
            usable: usable as u64,
            block: self.collected.asked.zip(self.collected.totals.sums.last()).map(|asked| {
                let ((common, thread), sum) = asked;
                group(common, sum, Vec::from_iter((thread != 0).then_some(thread)))
            }),
        });
        Findings { groups: groups.collect(), inherited: self.collected.totals.inherited, asked }
    }

    /// The words of threads' stacks that paths begin with: thread and address.
    pub(crate) fn words_of_stacks(&self) -> impl Iterator<Item = (u32, usize)> {
        self.collected.totals.sums.iter().filter_map(|sum| match sum.trace.end {
            End::Root(address) => match self.root_of(address)?.origin {
                Origin::Stack { thread } => Some((thread, address)),
                _ => None,
            },
            _ => None,
        })
    }

    fn root_of(&self, address: usize) -> Option<&Root> {
        self.roots.iter().find(|root| (root.start..root.end).contains(&address))
    }

    fn path(&self, sum: &Sum, frame_of: impl Fn(u32, usize) -> Option<usize>) -> Option<Path> {
        let own = sum.first_hop..sum.first_hop + sum.trace.hops;
        let hops: Vec<_> = self.hops.get(own)?.iter().map(|hop| hop.hop()).collect();
        let root = match sum.trace.end {
            End::Root(address) => self.holder(address, frame_of),
            End::Beginning => Holder::Lost(hops.first()?.site.unwrap_or(SiteId::UNKNOWN)),
            End::Unknown => Holder::Unknown,
        };
        Some(Path { root, hops, omitted: sum.trace.omitted })
    }

    fn holder(&self, address: usize, frame_of: impl Fn(u32, usize) -> Option<usize>) -> Holder {
        let Some(origin) = self.root_of(address).map(|root| root.origin) else {
            return Holder::Unknown;
        };
        let pc = match origin {
            Origin::Stack { thread } => frame_of(thread, address).map(|pc| pc as u64),
            _ => None,
        };
        Holder::Root { origin, address: address as u64, pc }
    }
}
