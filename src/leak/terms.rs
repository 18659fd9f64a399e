//! What a check is asked, and by which rules it answers.

use super::births::Births;
use super::edges::Edges;
use super::marks::Marks;
use super::roots::{Origin, Root};
use crate::mem::scan::WORD;
use crate::track::SiteId;
use crate::track::columns::Record;

/// See the module.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Terms<'t> {
    /// Which blocks are asked about; `None`: all.
    pub(crate) births: Option<&'t Births>,
    /// Call sites whose blocks count as held, ascending.
    pub(crate) suppressed: &'t [SiteId],
    pub(crate) sources: Sources,
    pub(crate) interior: Interior,
    /// From the roots on, pointers count wherever they lie, not at multiples of their size alone.
    pub(crate) is_unaligned: bool,
    /// Every leaked block is to be listed.
    pub(crate) lists_blocks: bool,
    /// The block that holds this address is asked about besides.
    pub(crate) asked: Option<usize>,
    /// From so many blocks on the pointers of all are gathered first ([`Edges`]).
    pub(crate) worth: usize,
}

/// Which roots count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sources {
    pub(crate) globals: bool,
    pub(crate) stacks: bool,
    pub(crate) registers: bool,
    pub(crate) tls: bool,
    pub(crate) regions: bool,
}

impl Sources {
    pub(crate) const ALL: Self =
        Self { globals: true, stacks: true, registers: true, tls: true, regions: true };

    pub(super) const fn count(self, origin: Origin) -> bool {
        match origin {
            Origin::Global => self.globals,
            Origin::Stack { .. } | Origin::AlternateStack { .. } => self.stacks,
            Origin::Registers { .. } => self.registers,
            Origin::Tls { .. } | Origin::Control { .. } => self.tls,
            Origin::Region => self.regions,
            Origin::Mapping | Origin::Ignored | Origin::Suppressed => true,
        }
    }
}

/// What a pointer into the middle of a block is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Interior {
    /// As much as one to its start.
    Reaches,
    /// What is reached by way of such a pointer only is possibly lost.
    Possible,
}

/// Why a block that nothing holds is none the worse for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kept {
    /// The program has said so.
    Ignored,
    /// A suppression says so.
    Suppressed,
}

impl Kept {
    pub(super) const ALL: [Self; 2] = [Self::Ignored, Self::Suppressed];

    /// A root that stands for the reason: a word where there is no memory.
    pub(super) const fn root(self) -> Root {
        let (start, origin) = match self {
            Self::Ignored => (WORD, Origin::Ignored),
            Self::Suppressed => (2 * WORD, Origin::Suppressed),
        };
        Root { start, end: start + WORD, origin }
    }

    /// A holder of that root.
    pub(super) const fn holder(self) -> usize {
        self.root().start | Marks::IN_ROOT
    }
}

impl Terms<'_> {
    /// All blocks, by the usual rules.
    pub(crate) const USUAL: Self = Self {
        births: None,
        suppressed: &[],
        sources: Sources::ALL,
        interior: Interior::Reaches,
        is_unaligned: false,
        lists_blocks: false,
        asked: None,
        worth: Edges::WORTH,
    };

    /// Whether the block is asked about.
    #[inline(always)]
    pub(super) fn want(&self, record: Record) -> bool {
        self.births.is_none_or(|births| births.contain(record))
    }

    /// Whether a pointer into the middle of a block is not enough for this one.
    pub(super) fn doubts(&self, record: Record) -> bool {
        self.interior == Interior::Possible && self.kept(record).is_none()
    }

    /// Why a block that nothing holds is to be let be.
    pub(super) fn kept(&self, record: Record) -> Option<Kept> {
        if record.stamp.is_ignored() {
            return Some(Kept::Ignored);
        }
        self.suppressed.binary_search(&record.site).is_ok().then_some(Kept::Suppressed)
    }
}
