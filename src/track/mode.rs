//! What is recorded: nothing, sums, samples, everything. It changes while the process runs.
//!
//! The mode is a number that every heap looks at on its cold paths. Somebody outside, or a signal
//! handler, may ask for another one in the ledger's header; whichever thread looks first puts it
//! into force.
//!
//! **Samples.** A block of `s` bytes is drawn with probability p = 1 − exp(−s / mean), and stands
//! for 1 / p blocks: sums of these weights are unbiased estimates of the true counts, with a
//! variance of (1 − p) / p² for each sample. (Horvitz and Thompson 1952; the drawing by bytes is
//! that of tcmalloc and Go.) Counters are whole numbers, so a weight is rounded up or down at
//! random, to the same for a block's end as for its beginning.

use super::columns::Stamp;
use super::ledger::Ledger;
use crate::base::sync::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, Ordering};
use crate::format::layout::{Header, event, mode};
use crate::heap::observe::Wanted;

/// The mode in force.
#[derive(Debug)]
pub(crate) struct Mode {
    number: AtomicU32,
    /// Which blocks that means: [`Wanted`] as a number.
    wanted: AtomicU8,
    sample_bytes: AtomicU64,
    /// Mean bytes between blocks that may get guards, where no samples are recorded; zero: none do.
    guard_bytes: AtomicU64,
    /// Something is recorded now that was not before.
    begins: AtomicBool,
    /// What was last recorded when it was not nothing, in the form of [`Self::packed`]; zero: that
    /// was never so, and everything is meant.
    resumed: AtomicU64,
}

/// What is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Recorded {
    Nothing,
    /// Counts and bytes.
    Sums,
    /// Some blocks with their stacks, this many bytes apart on average.
    Samples(u64),
    /// Every block with its stack.
    Everything,
}

impl Mode {
    pub(super) const fn new() -> Self {
        Self {
            number: AtomicU32::new(mode::OFF),
            wanted: AtomicU8::new(Wanted::None as u8),
            sample_bytes: AtomicU64::new(0),
            guard_bytes: AtomicU64::new(0),
            begins: AtomicBool::new(false),
            resumed: AtomicU64::new(0),
        }
    }

    /// A mode and its bytes in one word.
    const fn packed(number: u32, bytes: u64) -> u64 {
        number as u64 | bytes << 8
    }

    pub(super) fn set(&self, recorded: Recorded, ledger: &Ledger) {
        let (number, bytes) = match recorded {
            Recorded::Nothing => (mode::OFF, 0),
            Recorded::Sums => (mode::STATS, 0),
            Recorded::Samples(bytes) => (mode::SAMPLE, bytes.max(1)),
            Recorded::Everything => (mode::FULL, 0),
        };
        self.sample_bytes.store(bytes, Ordering::Relaxed);
        if number != mode::OFF {
            self.resumed.store(Self::packed(number, bytes), Ordering::Relaxed);
        }
        let before = self.number.swap(number, Ordering::Release);
        self.set_wanted();
        self.begins.store(before == mode::OFF && number != mode::OFF, Ordering::Release);
        let Some(header) = ledger.header() else { return };
        header.sample_bytes.store(bytes, Ordering::Relaxed);
        header.mode.store(number, Ordering::Release);
        if before != number || number == mode::SAMPLE {
            ledger.note(event::MODE, Self::packed(number, bytes), b"");
        }
    }

    /// Which blocks are to be observed; first puts into force what somebody outside asks for.
    #[inline]
    pub(super) fn wants(&self, ledger: &Ledger) -> Wanted {
        if let Some(header) = ledger.header()
            && header.wanted.load(Ordering::Relaxed) != 0
        {
            self.obey(header, ledger);
        }
        const NONE: u8 = Wanted::None as u8;
        const SAMPLES: u8 = Wanted::Samples as u8;
        match self.wanted.load(Ordering::Relaxed) {
            NONE => Wanted::None,
            SAMPLES => Wanted::Samples,
            _ => Wanted::All,
        }
    }

    fn set_wanted(&self) {
        let wanted = match self.number.load(Ordering::Relaxed) {
            mode::OFF if self.guard_bytes.load(Ordering::Relaxed) == 0 => Wanted::None,
            mode::OFF | mode::SAMPLE => Wanted::Samples,
            _ => Wanted::All,
        };
        self.wanted.store(wanted as u8, Ordering::Relaxed);
    }

    #[cold]
    fn obey(&self, header: &Header, ledger: &Ledger) {
        let wanted = header.wanted.swap(0, Ordering::AcqRel);
        // Second: whoever asked wrote it first.
        let bytes = header.wanted_sample_bytes.load(Ordering::Relaxed);
        match wanted.wrapping_sub(1) {
            mode::OFF => self.set(Recorded::Nothing, ledger),
            mode::STATS => self.set(Recorded::Sums, ledger),
            mode::SAMPLE => self.set(Recorded::Samples(bytes), ledger),
            mode::FULL => self.set(Recorded::Everything, ledger),
            // Another thread was faster, or a newer viewer asks for what is not known here.
            _ => {}
        }
    }

    /// Asks for nothing to be recorded, or for what was before that, as somebody outside would.
    /// Async-signal-safe: it reads and stores a few words, and whichever thread allocates next does
    /// the rest.
    pub(crate) fn toggle(&self, ledger: &Ledger) {
        let Some(header) = ledger.header() else { return };
        // A wish that nobody has followed yet counts as fulfilled: two signals make no change.
        let number = match header.wanted.load(Ordering::Acquire) {
            0 => self.number.load(Ordering::Relaxed),
            wanted => wanted - 1,
        };
        let next = match number {
            mode::OFF => match self.resumed.load(Ordering::Relaxed) {
                0 => Self::packed(mode::FULL, 0),
                resumed => resumed,
            },
            _ => Self::packed(mode::OFF, 0),
        };
        header.wanted_sample_bytes.store(next >> 8, Ordering::Relaxed);
        header.wanted.store((next & 0xff) as u32 + 1, Ordering::Release);
    }

    /// Whether recording has just begun; once.
    pub(super) fn begins(&self) -> bool {
        self.begins.load(Ordering::Relaxed) && self.begins.swap(false, Ordering::AcqRel)
    }

    #[inline(always)]
    pub(super) fn wants_stacks(&self) -> bool {
        self.number.load(Ordering::Relaxed) != mode::STATS
    }

    /// What is recorded now.
    pub(crate) fn recorded(&self) -> Recorded {
        match self.number.load(Ordering::Acquire) {
            mode::STATS => Recorded::Sums,
            mode::SAMPLE => Recorded::Samples(self.sample_bytes.load(Ordering::Relaxed)),
            mode::FULL => Recorded::Everything,
            _ => Recorded::Nothing,
        }
    }

    /// Bytes from one sample to the next, drawn by a random number; `None`: none are taken.
    pub(super) fn draw(&self, random: u64) -> Option<u64> {
        let mean = match self.number.load(Ordering::Relaxed) {
            mode::SAMPLE => self.sample_bytes.load(Ordering::Relaxed),
            mode::OFF => self.guard_bytes.load(Ordering::Relaxed),
            _ => 0,
        };
        if mean == 0 {
            return None;
        }
        let mean = mean as f64;
        // In (0, 1]: 53 bits, and never zero.
        let uniform = ((random >> 11) + 1) as f64 / (1u64 << 53) as f64;
        Some((-libm::log(uniform) * mean) as u64)
    }

    /// Mean bytes between two samples that are recorded; zero: none are.
    pub(super) fn sample_bytes(&self) -> u64 {
        self.sample_bytes.load(Ordering::Relaxed)
    }

    /// Draws blocks so many bytes apart for guards, if nothing is recorded; zero: draws none.
    pub(super) fn set_guard_bytes(&self, bytes: u64) {
        self.guard_bytes.store(bytes, Ordering::Relaxed);
        self.set_wanted();
    }

    /// How many blocks of `size` bytes one that is drawn stands for.
    pub(super) fn weight(&self, size: usize) -> f64 {
        let mean = self.sample_bytes.load(Ordering::Relaxed);
        if mean == 0 {
            return 1.0;
        }
        1.0 / -libm::expm1(-(size as f64) / mean as f64)
    }
}

/// A weight as a whole number: one of its neighbours, by chance, but always the same one for the
/// same block.
pub(super) fn whole_weight(weight: f64, stamp: Stamp, address: usize) -> u64 {
    let below = libm::floor(weight);
    // Twice: stamps and addresses of one program differ in few bits.
    let once = super::numbers::mix(stamp.number(), address as u64);
    let chance = super::numbers::mix(once, stamp.number()) as f64 / u64::MAX as f64;
    below as u64 + u64::from(chance < weight - below)
}

#[cfg(test)]
mod tests {
    use super::super::ledger::{LEN_MIN, Pages};
    use super::*;

    #[test]
    fn weights_are_rounded_without_bias() {
        for weight in [1.0, 1.25, 1.582, 513.9] {
            let sum: u64 = (0..100_000)
                .map(|n| whole_weight(weight, Stamp::new(n, u64::from(n) << 12), n as usize * 64))
                .sum();
            let mean = sum as f64 / 100_000.0;
            assert!((mean - weight).abs() < 0.01, "{mean} for {weight}");
        }
    }

    #[test]
    fn a_toggle_goes_off_and_back_to_what_there_was() {
        let (mode, ledger) = (Mode::new(), Ledger::new());
        mode.toggle(&ledger);
        assert_eq!(mode.recorded(), Recorded::Nothing, "nobody could ask");
        ledger.open(Pages::private(LEN_MIN).expect("memory"));
        let toggled = |times: u32| {
            (0..times).for_each(|_| mode.toggle(&ledger));
            mode.wants(&ledger);
            mode.recorded()
        };
        assert_eq!(toggled(1), Recorded::Everything);
        assert_eq!(toggled(1), Recorded::Nothing);
        mode.set(Recorded::Samples(4096), &ledger);
        assert_eq!(toggled(1), Recorded::Nothing);
        assert_eq!(toggled(1), Recorded::Samples(4096));
        assert_eq!(toggled(2), Recorded::Samples(4096), "two at once make no change");
        assert_eq!(toggled(3), Recorded::Nothing);
    }

    #[test]
    fn samples_are_as_far_apart_as_asked_for() {
        let mode = Mode::new();
        assert_eq!(mode.draw(1), None);
        mode.set(Recorded::Samples(4096), &Ledger::new());
        let mut state = 1;
        let count = 200_000;
        let sum: u64 = (0..count)
            .map(|_| {
                state = super::super::numbers::mix(state, 77);
                mode.draw(state).expect("sampling")
            })
            .sum();
        let mean = sum as f64 / f64::from(count);
        assert!((mean / 4096.0 - 1.0).abs() < 0.02, "{mean}");
        // Small blocks are drawn seldom, and stand for many.
        assert!((mode.weight(64) - 64.5).abs() < 0.1);
        assert!(mode.weight(1 << 20) < 1.000_001);
    }
}
