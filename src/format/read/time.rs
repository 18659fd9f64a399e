//! The two clocks of a ledger, ticks and allocated bytes, in nanoseconds from the start.

use super::outline::Outline;
use super::record::field;
use crate::format::layout::{Header, LIFETIMES};
use std::vec::Vec;

/// How long a tick is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ticks {
    zero: u64,
    /// So many ticks are so many nanoseconds.
    ticks: u64,
    nanoseconds: u64,
}

impl Ticks {
    pub(super) fn of(outline: &Outline) -> Self {
        let header = outline.header();
        let zero = field!(header, Header, tick_zero);
        let later = field!(header, Header, tick_later);
        let nanoseconds = field!(header, Header, nanoseconds_later);
        Self { zero, ticks: later.saturating_sub(zero), nanoseconds }
    }

    /// Nanoseconds from the start to `tick`. Zero for earlier ones, and for all as long as the
    /// process has not measured its clock.
    pub(super) fn ns(self, tick: u64) -> u64 {
        scale(tick.saturating_sub(self.zero), self.nanoseconds, self.ticks)
    }

    /// Nanoseconds from the start to when the process measured its clock last.
    pub(super) fn last_ns(self) -> u64 {
        if self.ticks == 0 { 0 } else { self.nanoseconds }
    }
}

/// `value · numerator / denominator`, at most the largest number; zero for a denominator of zero.
fn scale(value: u64, numerator: u64, denominator: u64) -> u64 {
    let product = u128::from(value) * u128::from(numerator);
    let quotient = product.checked_div(u128::from(denominator)).unwrap_or(0);
    u64::try_from(quotient).unwrap_or(u64::MAX)
}

/// When how many bytes had been allocated: known at the points of the timeline, in between as if
/// the program had allocated evenly.
#[derive(Debug)]
pub(super) struct AllocationClock {
    /// Clock and nanoseconds, both strictly growing.
    points: Vec<(u64, u64)>,
}

impl AllocationClock {
    /// Of a timeline in order of time, until `now`: clock and nanoseconds.
    pub(super) fn new(timeline: impl Iterator<Item = (u64, u64)>, now: (u64, u64)) -> Self {
        let mut points = Vec::from([(0, 0)]);
        for (clock, ns) in timeline.chain([now]) {
            let (last_clock, last_ns) = points.last().copied().unwrap_or_default();
            if clock > last_clock && ns > last_ns {
                points.push((clock, ns));
            }
        }
        Self { points }
    }

    /// When the clock showed `clock`. Not after the last moment that is known.
    pub(super) fn ns(&self, clock: u64) -> u64 {
        let after = self.points.partition_point(|(at, _)| *at <= clock);
        let Some((clock_before, ns_before)) = self.points.get(after.wrapping_sub(1)) else {
            return 0;
        };
        let Some((clock_after, ns_after)) = self.points.get(after) else { return *ns_before };
        let passed = scale(clock - clock_before, ns_after - ns_before, clock_after - clock_before);
        ns_before + passed
    }
}

/// Upper edges of the buckets of lifetimes, in bytes of the allocation clock. The last bucket has
/// none.
pub(super) fn lifetime_edges() -> impl Iterator<Item = u64> {
    (0..LIFETIMES as u32 - 1).map(|bucket| 1024 << (2 * bucket))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allocated_bytes_are_times_between_points() {
        let clock = AllocationClock::new([(100, 10), (90, 12), (300, 20)].into_iter(), (400, 20));
        for (bytes, ns) in [(0, 0), (50, 5), (100, 10), (200, 15), (300, 20), (1 << 60, 20)] {
            assert_eq!(clock.ns(bytes), ns, "{bytes}");
        }
    }

    #[test]
    fn without_a_measured_clock_no_time_has_passed() {
        let ticks = Ticks { zero: 7, ticks: 0, nanoseconds: 5 };
        assert_eq!((ticks.ns(100), ticks.last_ns()), (0, 0));
        let clock = AllocationClock::new([].into_iter(), (1000, 0));
        assert_eq!(clock.ns(500), 0);
        let longest = Ticks { zero: 0, ticks: 1, nanoseconds: u64::MAX };
        assert_eq!(longest.ns(u64::MAX), u64::MAX);
    }
}
