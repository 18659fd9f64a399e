//! The numbers by which call stacks are ranked, and how counters are added.

use clap::ValueEnum;
use heapsight::ledger::Counters;

use super::numbers;

/// One of the numbers that every call stack has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, ValueEnum)]
pub(crate) enum Metric {
    /// Bytes ever allocated
    Bytes,
    /// Blocks ever allocated
    Count,
    /// Bytes in use
    Live,
    /// Bytes in use when the process had most in use
    Peak,
    /// Most bytes that the call stack itself ever had in use
    OwnPeak,
    /// Blocks that were freed before their thread's next allocation
    Temporary,
    /// How long blocks lived, the median
    Lifetime,
}

impl Metric {
    /// Its value. `edges` are those of the lifetime histogram.
    pub(crate) fn of(self, counters: &Counters, edges: &[u64]) -> u64 {
        match self {
            Self::Bytes => counters.bytes,
            Self::Count => counters.allocations,
            Self::Live => counters.live_bytes,
            Self::Peak => counters.at_peak_bytes,
            Self::OwnPeak => counters.own_peak_bytes,
            Self::Temporary => counters.temporary,
            Self::Lifetime => median_lifetime(counters, edges).unwrap_or(0),
        }
    }

    /// How many blocks belong to the value.
    pub(crate) fn blocks(self, counters: &Counters) -> Option<u64> {
        match self {
            Self::Bytes => Some(counters.allocations),
            Self::Live => Some(counters.live),
            Self::Peak => Some(counters.at_peak),
            Self::Count | Self::OwnPeak | Self::Temporary | Self::Lifetime => None,
        }
    }

    /// Standard deviation of the value, where the ledger has it.
    pub(crate) fn deviation(self, counters: &Counters) -> f64 {
        match self {
            Self::Bytes => counters.bytes_error,
            Self::Count => counters.allocations_error,
            _ => 0.0,
        }
    }

    /// Whether values of several call stacks make a sum that means something.
    pub(crate) fn is_additive(self) -> bool {
        self != Self::Lifetime
    }

    /// Whether it counts bytes.
    pub(crate) fn is_bytes(self) -> bool {
        matches!(self, Self::Bytes | Self::Live | Self::Peak | Self::OwnPeak)
    }

    /// A value, with its unit.
    pub(crate) fn text(self, value: u64) -> String {
        match self {
            Self::Lifetime => numbers::size(value),
            _ if self.is_bytes() => numbers::size(value),
            _ => numbers::grouped(value),
        }
    }

    /// What the value is, as in a heading.
    pub(crate) fn phrase(self) -> &'static str {
        match self {
            Self::Bytes => "bytes allocated",
            Self::Count => "blocks allocated",
            Self::Live => "bytes in use",
            Self::Peak => "bytes at the peak",
            Self::OwnPeak => "their own peaks",
            Self::Temporary => "temporary blocks",
            Self::Lifetime => "median lifetime",
        }
    }

    /// As it is typed.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Bytes => "bytes",
            Self::Count => "count",
            Self::Live => "live",
            Self::Peak => "peak",
            Self::OwnPeak => "own-peak",
            Self::Temporary => "temporary",
            Self::Lifetime => "lifetime",
        }
    }
}

/// The upper edge of the bucket that the median of the freed blocks is in; of the open bucket the
/// lower. Temporary blocks count as the shortest.
pub(crate) fn median_lifetime(counters: &Counters, edges: &[u64]) -> Option<u64> {
    let total = counters.lifetimes.iter().fold(counters.temporary, |sum, n| sum.saturating_add(*n));
    if total == 0 || edges.is_empty() {
        return None;
    }
    let mut below = counters.temporary;
    let mut bucket = 0;
    for blocks in &counters.lifetimes {
        below = below.saturating_add(*blocks);
        if below >= total.div_ceil(2) {
            break;
        }
        bucket += 1;
    }
    edges.get(bucket).or(edges.last()).copied()
}

/// Adds the counters of another call stack.
pub(crate) fn absorb(sum: &mut Counters, other: &Counters) {
    let is_first = sum.allocations == 0;
    for (sum, other) in [
        (&mut sum.allocations, other.allocations),
        (&mut sum.bytes, other.bytes),
        (&mut sum.frees, other.frees),
        (&mut sum.freed_bytes, other.freed_bytes),
        (&mut sum.live, other.live),
        (&mut sum.live_bytes, other.live_bytes),
        (&mut sum.own_peak_bytes, other.own_peak_bytes),
        (&mut sum.at_peak, other.at_peak),
        (&mut sum.at_peak_bytes, other.at_peak_bytes),
        (&mut sum.reallocations, other.reallocations),
        (&mut sum.temporary, other.temporary),
        (&mut sum.samples, other.samples),
    ] {
        *sum = sum.saturating_add(other);
    }
    if sum.lifetimes.len() < other.lifetimes.len() {
        sum.lifetimes.resize(other.lifetimes.len(), 0);
    }
    for (sum, other) in sum.lifetimes.iter_mut().zip(&other.lifetimes) {
        *sum = sum.saturating_add(*other);
    }
    sum.first_ns = if is_first { other.first_ns } else { sum.first_ns.min(other.first_ns) };
    sum.last_ns = sum.last_ns.max(other.last_ns);
    // Call stacks are sampled independently of each other, so their variances add up.
    sum.allocations_error = sum.allocations_error.hypot(other.allocations_error);
    sum.bytes_error = sum.bytes_error.hypot(other.bytes_error);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_lies_where_half_of_the_blocks_are() {
        let edges = [10, 100, 1000];
        let of = |temporary, lifetimes: [u64; 4]| {
            let counters =
                Counters { temporary, lifetimes: lifetimes.into(), ..Counters::default() };
            median_lifetime(&counters, &edges)
        };
        assert_eq!(of(0, [0; 4]), None);
        assert_eq!(of(0, [1, 0, 0, 0]), Some(10));
        assert_eq!(of(0, [1, 3, 0, 0]), Some(100));
        assert_eq!(of(9, [0, 3, 0, 0]), Some(10));
        assert_eq!(of(0, [0, 0, 0, 5]), Some(1000));
    }

    #[test]
    fn counters_add_up_and_errors_by_their_squares() {
        let one = Counters {
            allocations: 2,
            first_ns: 5,
            last_ns: 9,
            bytes_error: 3.0,
            lifetimes: vec![1, 2],
            ..Counters::default()
        };
        let other = Counters { first_ns: 7, last_ns: 8, bytes_error: 4.0, ..one.clone() };
        let mut sum = Counters::default();
        absorb(&mut sum, &one);
        absorb(&mut sum, &other);
        assert_eq!((sum.allocations, sum.first_ns, sum.last_ns), (4, 5, 9));
        assert_eq!((sum.bytes_error, sum.lifetimes), (5.0, vec![2, 4]));
    }
}
