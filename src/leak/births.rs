//! Which blocks some threads allocated, while they were told to count.

use crate::heap::engine::Engine;
use crate::heap::slab::Kind;
use crate::track::Tracker;
use crate::track::columns::{Columns, Record};
use std::vec::Vec;

/// Stretches of the lives of threads, and so the blocks that were born in them. Stretches of one
/// thread do not overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Births {
    /// In order.
    stretches: Vec<Stretch>,
}

/// What a thread allocated from a tick of its clock up to another one, without that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Stretch {
    /// The thread's number in the ledger.
    pub(crate) thread: u32,
    pub(crate) from: u64,
    pub(crate) to: u64,
}

impl Births {
    pub(crate) fn add(&mut self, stretch: Stretch) {
        let place = self.stretches.partition_point(|other| *other < stretch);
        self.stretches.insert(place, stretch);
    }

    /// Whether the block was born in one of the stretches.
    pub(crate) fn contain(&self, record: Record) -> bool {
        let (thread, tick) = (record.stamp.thread(), record.stamp.tick());
        let later = self
            .stretches
            .partition_point(|stretch| (stretch.thread, stretch.from) <= (thread, tick));
        let before = later.checked_sub(1).map(|last| self.stretches[last]);
        before.is_some_and(|stretch| stretch.thread == thread && tick < stretch.to)
    }
}

/// Whether any of the blocks live, as far as can be told without stopping anybody.
pub(crate) fn any_lives(engine: &Engine<Tracker>, births: &Births) -> bool {
    let mut any = false;
    engine.space.for_each_span(|span| {
        let is_watched = matches!(span.kind(), Kind::Slab | Kind::Large) && span.is_tracked();
        let Some(columns) = Columns::of(span).filter(|_| is_watched && !any) else { return };
        let mut indices = 0..span.capacity().min(columns.slots());
        any = indices.any(|at| columns.read(at).is_some_and(|it| births.contain(it)));
    });
    any
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::track::SiteId;
    use crate::track::columns::Stamp;

    #[test]
    fn a_block_is_born_in_a_stretch_of_its_own_thread() {
        let mut births = Births::default();
        for (thread, from, to) in [(7, 20, 30), (5, 10, 20), (7, 10, 12)] {
            births.add(Stretch { thread, from, to });
        }
        let is_born = |thread, tick: u64| {
            let stamp = Stamp::new(thread, tick * 256 + 17);
            births.contain(Record { site: SiteId::UNKNOWN, size: 1, stamp })
        };
        for (thread, tick) in [(5, 10), (5, 19), (7, 10), (7, 11), (7, 20), (7, 29)] {
            assert!(is_born(thread, tick), "{thread} at {tick}");
        }
        for (thread, tick) in [(5, 9), (5, 20), (6, 11), (7, 9), (7, 12), (7, 30), (8, 25), (0, 15)]
        {
            assert!(!is_born(thread, tick), "{thread} at {tick}");
        }
    }
}
