//! Who holds a block: from the block outwards, holder by holder, to a root or to where the loss
//! began.
//!
//! A path may be as long as a list. Of a long one the steps next to the root are kept, and the one
//! next to the block.

use super::scratch::{NoMemory, Vector};

/// Most steps of a path that are kept.
pub(crate) const HOPS_MAX: usize = 32;

/// One step outwards.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step<B> {
    /// Held by a block.
    Block(B),
    /// Held by what is no block.
    Root(usize),
    /// Held by nothing.
    Beginning,
}

/// The end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The address of a word in a root.
    Root(usize),
    /// The outermost block is held by nothing.
    Beginning,
    /// The budget was spent before an end was found.
    Unknown,
}

/// A path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) end: End,
    /// How many steps were kept.
    pub(crate) hops: usize,
    /// How many were left out, before the last of those kept.
    pub(crate) omitted: u64,
}

/// Follows the holders of a block, whose first is `step`; `outwards` gives those of other blocks.
/// The blocks of the path are appended to `hops`, from the root inwards. Each step costs one of
/// `budget`.
pub(crate) fn trace<B: Copy>(
    mut step: Step<B>,
    mut outwards: impl FnMut(B) -> Step<B>,
    budget: &mut u64,
    hops: &mut Vector<B>,
) -> Result<Trace, NoMemory> {
    // The one next to the block, and the last ones seen, in a ring.
    let mut nearest = None;
    let mut ring = [None; HOPS_MAX - 1];
    let mut seen = 0usize;
    let end = loop {
        match step {
            Step::Root(address) => break End::Root(address),
            Step::Beginning => break End::Beginning,
            Step::Block(_) if *budget == 0 => break End::Unknown,
            Step::Block(block) => {
                *budget -= 1;
                if nearest.is_none() {
                    nearest = Some(block);
                } else {
                    ring[seen % ring.len()] = Some(block);
                    seen += 1;
                }
                step = outwards(block);
            }
        }
    };
    let kept = seen.min(ring.len());
    for back in 1..=kept {
        if let Some(block) = ring[(seen - back) % ring.len()] {
            hops.push(block)?;
        }
    }
    if let Some(block) = nearest {
        hops.push(block)?;
    }
    let omitted = (seen - kept) as u64;
    Ok(Trace { end, hops: kept + usize::from(nearest.is_some()), omitted })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::vec::Vec;

    /// A chain: block 0 is held by 1, and so on; the last one ends it.
    fn check(len: usize, budget: u64) {
        let end = Step::Root(7);
        let step_to = |block: usize| if block > len { end } else { Step::Block(block) };
        let (mut left, mut hops) = (budget, Vector::new());
        let trace = trace(step_to(1), |block| step_to(block + 1), &mut left, &mut hops).unwrap();
        let walked = (len as u64).min(budget);
        assert_eq!(left, budget - walked);
        assert_eq!(trace.end == End::Root(7), len as u64 <= budget);
        assert_eq!(trace.end == End::Unknown, len as u64 > budget);
        let mut expected: Vec<usize> = (1..=walked as usize).rev().collect();
        if expected.len() > HOPS_MAX {
            expected.drain(HOPS_MAX - 1..expected.len() - 1);
        }
        assert_eq!(*hops, *expected);
        assert_eq!((trace.hops, trace.omitted), (expected.len(), walked - expected.len() as u64));
    }

    proptest! {
        #[test]
        fn long_paths_keep_both_ends(len in 0usize..120, budget in 0u64..150) {
            check(len, budget);
        }
    }

    #[test]
    fn a_beginning_has_no_path() {
        let mut hops = Vector::<usize>::new();
        let trace = trace(Step::Beginning, |_| Step::Beginning, &mut 9, &mut hops).unwrap();
        assert_eq!(trace, Trace { end: End::Beginning, hops: 0, omitted: 0 });
    }
}
