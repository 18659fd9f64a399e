//! A course of allocations and frees that leads to given sums.
//!
//! Formats of event lists want to be told each block. A ledger has sums: blocks and bytes
//! allocated, at the peak, in use, temporary. Many courses lead to them; this makes one. First come
//! and go the blocks that neither lived at the peak nor live, then those come that make the peak,
//! then those of them go that do not live, and the rest of the living comes.

use heapsight::ledger::Counters;

/// Blocks of a call stack with a common fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Batch {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

/// The blocks of one call stack, by fate.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Course {
    /// Freed by the next event.
    pub(crate) temporary: Batch,
    /// Gone before the peak, or come after it and gone.
    pub(crate) passing: Batch,
    /// At the peak, and gone.
    pub(crate) peaking: Batch,
    /// At the peak, and living.
    pub(crate) lasting: Batch,
    /// Living, but not at the peak.
    pub(crate) late: Batch,
}

impl Batch {
    fn minus(self, other: Self) -> Self {
        Self {
            blocks: self.blocks.saturating_sub(other.blocks),
            bytes: self.bytes.saturating_sub(other.bytes),
        }
    }

    /// Sizes that make up the batch, with the number of blocks of each.
    pub(crate) fn sizes(self) -> impl Iterator<Item = (u64, u64)> {
        let size = self.bytes.checked_div(self.blocks).unwrap_or(0);
        let larger = self.bytes.checked_rem(self.blocks).unwrap_or(0);
        [(size, self.blocks - larger), (size + 1, larger)]
            .into_iter()
            .filter(|(_, blocks)| *blocks > 0)
    }
}

impl Course {
    /// A course to the sums of a call stack. What contradicts itself is followed as far as it goes.
    pub(crate) fn to(counters: &Counters) -> Self {
        let all = Batch { blocks: counters.allocations, bytes: counters.bytes };
        let peak = within(Batch { blocks: counters.at_peak, bytes: counters.at_peak_bytes }, all);
        let live = within(Batch { blocks: counters.live, bytes: counters.live_bytes }, all);
        let lasting = common(all, peak, live);
        let peaking = peak.minus(lasting);
        let late = live.minus(lasting);
        let rest = all.minus(lasting).minus(peaking).minus(late);
        let blocks = counters.temporary.min(rest.blocks);
        let bytes = match blocks == rest.blocks {
            true => rest.bytes,
            false => share(rest.bytes, blocks, rest.blocks),
        };
        let temporary = Batch { blocks, bytes };
        Self { temporary, passing: rest.minus(temporary), peaking, lasting, late }
    }

    /// The same with fewer, larger blocks: one for each `scale`.
    pub(crate) fn coarser(self, scale: u64) -> Self {
        let coarser = |batch: Batch| Batch { blocks: batch.blocks.div_ceil(scale), ..batch };
        Self {
            temporary: coarser(self.temporary),
            passing: coarser(self.passing),
            peaking: coarser(self.peaking),
            lasting: coarser(self.lasting),
            late: coarser(self.late),
        }
    }

    pub(crate) fn blocks(&self) -> u64 {
        let batches = [self.temporary, self.passing, self.peaking, self.lasting, self.late];
        batches.iter().fold(0, |sum, batch| sum.saturating_add(batch.blocks))
    }
}

fn within(part: Batch, whole: Batch) -> Batch {
    let blocks = part.blocks.min(whole.blocks);
    Batch { blocks, bytes: if blocks == 0 { 0 } else { part.bytes.min(whole.bytes) } }
}

fn share(bytes: u64, part: u64, whole: u64) -> u64 {
    let share = u128::from(bytes) * u128::from(part) / u128::from(whole.max(1));
    u64::try_from(share).unwrap_or(u64::MAX)
}

/// Blocks that both lived at the peak and live: as many as can be, with bytes that leave the other
/// batches possible ones.
fn common(all: Batch, peak: Batch, live: Batch) -> Batch {
    let most = peak.blocks.min(live.blocks);
    let least = (peak.blocks + live.blocks).saturating_sub(all.blocks);
    let candidates = [most, least, least.midpoint(most), (least + 1).min(most)];
    let possible = candidates.into_iter().find_map(|blocks| {
        let spare = (peak.bytes + live.bytes).saturating_sub(all.bytes);
        let (mut low, mut high) = (spare, peak.bytes.min(live.bytes));
        // A batch without blocks has no bytes.
        if blocks == 0 {
            high = 0;
        }
        for side in [peak, live] {
            if side.blocks == blocks {
                (low, high) = (low.max(side.bytes), high.min(side.bytes));
            }
        }
        if all.blocks + blocks == peak.blocks + live.blocks {
            high = high.min(spare);
        }
        // Bytes like those of the living, as far as possible.
        let like = share(live.bytes, blocks, live.blocks);
        (low <= high).then(|| Batch { blocks, bytes: like.clamp(low, high) })
    });
    possible.unwrap_or(Batch { blocks: least, bytes: 0 })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view::sample;
    use proptest::prelude::*;

    #[test]
    fn what_lives_since_the_peak_lasts() {
        let live = Counters {
            allocations: 10,
            bytes: 5000,
            live: 10,
            live_bytes: 5000,
            at_peak: 10,
            at_peak_bytes: 5000,
            ..Counters::default()
        };
        let lasting = Batch { blocks: 10, bytes: 5000 };
        assert_eq!(Course::to(&live), Course { lasting, ..Course::default() });
        let sizes: Vec<_> = Batch { blocks: 3, bytes: 10 }.sizes().collect();
        assert_eq!(sizes, [(3, 2), (4, 1)]);
    }

    proptest! {
        #[test]
        fn the_course_leads_to_the_sums(snapshot in sample::any_snapshot()) {
            for site in &snapshot.sites {
                let counters = &site.counters;
                let Course { temporary, passing, peaking, lasting, late } = Course::to(counters);
                let sum = |batches: &[Batch]| -> (u64, u64) {
                    let sizes = || batches.iter().flat_map(|batch| batch.sizes());
                    (
                        sizes().map(|(_, blocks)| blocks).sum(),
                        sizes().map(|(size, blocks)| size * blocks).sum(),
                    )
                };
                let all = sum(&[temporary, passing, peaking, lasting, late]);
                prop_assert_eq!(all, (counters.allocations, counters.bytes));
                let peak = (counters.at_peak, counters.at_peak_bytes);
                prop_assert_eq!(sum(&[peaking, lasting]), peak);
                prop_assert_eq!(sum(&[lasting, late]), (counters.live, counters.live_bytes));
                prop_assert_eq!(temporary.blocks, counters.temporary);
            }
        }
    }
}
