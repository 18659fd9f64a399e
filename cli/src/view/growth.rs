//! What grows: call stacks whose blocks in use are more at each look than at the one before.
//!
//! A leak through a reference that is still there, as a cache without bounds, is no leak to a
//! single look. Two looks cannot tell it from a buffer that happened to be in use at the second. So
//! a call stack counts if it grew in *every* interval: in blocks, and in bytes by more than
//! [`NOISE`]. What grows while a program warms up slows down: so the last interval's rate must be
//! at least [`STEADY`] of the mean.

use std::collections::BTreeMap;

use heapsight::{Frame, Leak, LeakReport};

/// Part of its bytes by which a call stack must grow from each look to the next.
const NOISE: f64 = 0.01;
/// Part of the mean rate that the last interval must have.
const STEADY: f64 = 0.5;

/// A look at the process.
#[derive(Clone, Debug)]
pub(crate) struct Look {
    /// Since the first one.
    pub(crate) seconds: f64,
    pub(crate) report: LeakReport,
}

/// The comparison.
#[derive(Clone, Debug)]
pub(crate) struct Growth {
    pub(crate) program: String,
    pub(crate) pid: u32,
    /// When the looks were, with blocks and bytes in use, and the pauses in nanoseconds.
    pub(crate) looks: Vec<(f64, Size, Option<u64>)>,
    /// How many call stacks had blocks in use at the last look.
    pub(crate) call_stacks: usize,
    /// The largest growth first.
    pub(crate) growing: Vec<Growing>,
    /// Sentences that qualify the numbers, of the last look.
    pub(crate) notes: Vec<String>,
}

/// A call stack that grows.
#[derive(Clone, Debug)]
pub(crate) struct Growing {
    /// Its blocks at the last look, of all classes; of the largest class, who holds them.
    pub(crate) group: Leak,
    /// At each look.
    pub(crate) sizes: Vec<Size>,
    /// From the first to the last look, in a second.
    pub(crate) bytes_per_second: f64,
    pub(crate) blocks_per_second: f64,
}

/// How much is in use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) blocks: u64,
    pub(crate) bytes: u64,
}

impl Growth {
    /// Compares looks, at least two, in order of time.
    pub(crate) fn between(looks: &[Look]) -> Self {
        let mut stacks = BTreeMap::<Vec<Frame>, (Vec<Size>, Option<Leak>)>::new();
        let groups = |report: &'_ LeakReport| report.leaks.clone().into_iter();
        for (number, look) in looks.iter().enumerate() {
            for group in groups(&look.report).filter(|group| !group.runtime) {
                let stack = stacks.entry(plain(&group.frames)).or_default();
                let (sizes, last) = stack;
                sizes.resize(looks.len(), Size::default());
                sizes[number].blocks += group.blocks;
                sizes[number].bytes += group.bytes;
                let is_larger = last.as_ref().is_none_or(|last| last.bytes < group.bytes);
                if number + 1 == looks.len() && is_larger {
                    *last = Some(group);
                }
            }
        }
        let times: Vec<_> = looks.iter().map(|look| look.seconds).collect();
        let call_stacks = stacks.values().filter(|(_, last)| last.is_some()).count();
        let mut growing: Vec<_> = stacks
            .into_values()
            .filter(|(sizes, _)| grows(sizes, &times))
            .filter_map(|(sizes, last)| Growing::new(last?, sizes, &times))
            .collect();
        growing.sort_by(|one, other| other.bytes_per_second.total_cmp(&one.bytes_per_second));
        let last = looks.last();
        Self {
            program: last.map(|look| look.report.program.clone()).unwrap_or_default(),
            pid: last.map_or(0, |look| look.report.pid),
            looks: looks.iter().map(summary).collect(),
            call_stacks,
            growing,
            notes: last.map(|look| look.report.notes.clone()).unwrap_or_default(),
        }
    }
}

fn summary(look: &Look) -> (f64, Size, Option<u64>) {
    let size = look.report.leaks.iter().fold(Size::default(), |sum, group| Size {
        blocks: sum.blocks + group.blocks,
        bytes: sum.bytes + group.bytes,
    });
    (look.seconds, size, look.report.pause_ns)
}

impl Growing {
    fn new(last: Leak, sizes: Vec<Size>, times: &[f64]) -> Option<Self> {
        let (from, to) = (*sizes.first()?, *sizes.last()?);
        let seconds = times.last()? - times.first()?;
        let rate = |from: u64, to: u64| (to as f64 - from as f64) / seconds;
        Some(Self {
            group: Leak { blocks: to.blocks, bytes: to.bytes, ..last },
            bytes_per_second: rate(from.bytes, to.bytes),
            blocks_per_second: rate(from.blocks, to.blocks),
            sizes,
        })
    }
}

/// Whether it is growth and no noise; see the module.
fn grows(sizes: &[Size], times: &[f64]) -> bool {
    let has_grown = |pair: &[Size]| {
        let [from, to] = [pair[0], pair[1]];
        let least = from.bytes as f64 * (1.0 + NOISE);
        to.blocks > from.blocks && to.bytes as f64 > least
    };
    let rate = |from: usize, to: usize| {
        (sizes[to].bytes as f64 - sizes[from].bytes as f64) / (times[to] - times[from])
    };
    let last = sizes.len() - 1;
    sizes.windows(2).all(has_grown) && rate(last - 1, last) >= STEADY * rate(0, last)
}

/// Calls as their source lines tell them: the same in every look, and in every loop that the
/// compiler unrolled.
fn plain(frames: &[Frame]) -> Vec<Frame> {
    let plain = |frame: &Frame| Frame {
        address: if frame.line.is_some() { 0 } else { frame.address },
        ..frame.clone()
    };
    frames.iter().map(plain).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: [f64; 4] = [0.0, 10.0, 20.0, 30.0];

    fn grown(bytes: [u64; 4]) -> bool {
        let sizes = bytes.map(|bytes| Size { blocks: bytes / 10, bytes });
        grows(&sizes, &TIMES)
    }

    #[test]
    fn what_grows_in_every_interval_counts() {
        assert!(grown([0, 100, 200, 300]));
        assert!(grown([1000, 1100, 1200, 1300]));
        assert!(!grown([1000, 1100, 1100, 1300]), "not in the second one");
        assert!(!grown([1000, 1200, 1100, 1300]), "it shrank");
    }

    #[test]
    fn noise_and_warm_up_do_not_count() {
        assert!(!grown([10_000, 10_090, 10_180, 10_270]), "under one percent");
        assert!(grown([10_000, 10_200, 10_420, 10_640]));
        assert!(!grown([0, 10_000, 12_000, 12_500]), "it slows down");
    }

    #[test]
    fn a_block_that_becomes_larger_is_no_growth_in_number() {
        let sizes = [100, 200, 300, 400].map(|bytes| Size { blocks: 1, bytes });
        assert!(!grows(&sizes, &TIMES));
    }
}
