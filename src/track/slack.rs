//! What a thread has allocated and freed since it last told the others.
//!
//! Little is to be done for each block, so one comparison asks all that may be due. What is freed
//! does not lower a sum but raises a *gate*: the value of the allocation clock at which more would
//! be in use than ever, or more have been allocated than a thread may keep to itself.
//!
//! ```text
//!   what is in use, less what all know   =  clock - told - freed
//!   is that above `room`?               <=>  clock > (told + room) + freed  =  gate
//! ```

use core::cell::Cell;

/// See the module. All zeros are a beginning, at which any block is an occasion to look.
#[derive(Debug, Default)]
pub(super) struct Slack {
    /// The allocation clock, as this thread knows it; and what it was when all were told.
    clock: Cell<i64>,
    told: Cell<i64>,
    /// See the module; what it would be if nothing had been freed; and what makes it time to tell.
    gate: Cell<i64>,
    gate_told: Cell<i64>,
    gate_due: Cell<i64>,
    blocks: Cell<i64>,
    room_blocks: Cell<i64>,
}

/// Bytes that may change hands before a thread tells the others.
pub(crate) const SLACK_BYTES: i64 = 64 << 10;
/// The same in blocks.
const SLACK_BLOCKS: i64 = 1 << 10;

/// What a thread has to tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct News {
    /// Changes of what is in use.
    pub(super) bytes: i64,
    pub(super) blocks: i64,
    /// What the clock has gone on by.
    pub(super) ticked: u64,
}

impl Slack {
    /// Counts what was allocated. Whether that may be a peak, or is too much to keep back.
    #[inline(always)]
    pub(super) fn allocate(&self, bytes: u64, blocks: u64) -> bool {
        let clock = self.clock.get() + bytes.cast_signed();
        self.clock.set(clock);
        let blocks = self.blocks.get() + blocks.cast_signed();
        self.blocks.set(blocks);
        clock > self.gate.get() || blocks > self.room_blocks.get()
    }

    /// Counts what was freed. Whether that is too much to keep back.
    #[inline(always)]
    pub(super) fn free(&self, bytes: u64, blocks: u64) -> bool {
        let gate = self.gate.get() + bytes.cast_signed();
        self.gate.set(gate);
        let blocks = self.blocks.get() - blocks.cast_signed();
        self.blocks.set(blocks);
        gate > self.gate_due.get() || blocks < -SLACK_BLOCKS
    }

    /// Whether [`Self::allocate`] of one block would say that nothing is due.
    #[inline(always)]
    pub(super) fn is_plain_allocation(&self, bytes: u64) -> bool {
        let clock = self.clock.get() + bytes.cast_signed();
        clock <= self.gate.get() && self.blocks.get() < self.room_blocks.get()
    }

    /// [`Self::allocate`], if so.
    #[inline(always)]
    pub(super) fn allocate_plainly(&self, bytes: u64) {
        self.clock.set(self.clock.get() + bytes.cast_signed());
        self.blocks.set(self.blocks.get() + 1);
    }

    /// Whether [`Self::free`] of one block would say that nothing is due.
    #[inline(always)]
    pub(super) fn is_plain_free(&self, bytes: u64) -> bool {
        let gate = self.gate.get() + bytes.cast_signed();
        gate <= self.gate_due.get() && self.blocks.get() > -SLACK_BLOCKS
    }

    /// [`Self::free`], if so.
    #[inline(always)]
    pub(super) fn free_plainly(&self, bytes: u64) {
        self.gate.set(self.gate.get() + bytes.cast_signed());
        self.blocks.set(self.blocks.get() - 1);
    }

    /// Whether it is too much to keep back.
    pub(super) fn is_due(&self) -> bool {
        self.bytes() >= SLACK_BYTES || self.blocks.get() >= SLACK_BLOCKS
    }

    /// Change of the bytes in use.
    pub(super) fn bytes(&self) -> i64 {
        self.clock.get() - self.told.get() - self.freed()
    }

    /// Change of the blocks in use.
    pub(super) fn blocks(&self) -> i64 {
        self.blocks.get()
    }

    fn freed(&self) -> i64 {
        self.gate.get() - self.gate_told.get()
    }

    /// How much more than all know may be in use before it is a peak.
    pub(super) fn set_room(&self, bytes: i64, blocks: i64) {
        let freed = self.freed();
        self.gate_told.set(self.told.get() + bytes.min(SLACK_BYTES));
        self.gate.set(self.gate_told.get() + freed);
        self.gate_due.set(self.gate_told.get() + SLACK_BYTES);
        self.room_blocks.set(blocks.min(SLACK_BLOCKS));
    }

    /// What is to be told, which is not kept any longer. [`Self::set_clock`] and
    /// [`Self::set_room`] are to follow.
    pub(super) fn take(&self) -> News {
        let ticked = (self.clock.get() - self.told.get()).cast_unsigned();
        let news = News { bytes: self.bytes(), blocks: self.blocks.replace(0), ticked };
        self.told.set(self.clock.get());
        self.gate.set(self.gate_told.get());
        news
    }

    /// The allocation clock, as this thread knows it.
    #[inline(always)]
    pub(super) fn clock(&self) -> u64 {
        self.clock.get().cast_unsigned()
    }

    /// Everything has been told, and that is the clock of all.
    pub(super) fn set_clock(&self, clock: u64) {
        debug_assert_eq!(self.bytes(), 0);
        self.clock.set(clock.cast_signed());
        self.told.set(clock.cast_signed());
    }

    /// Puts the clock forward, though nothing was allocated.
    pub(super) fn advance_clock(&self, clock: u64) {
        let passed = clock.cast_signed() - self.clock.replace(clock.cast_signed());
        // As if so much had been freed, too: nothing more is in use.
        self.gate.set(self.gate.get() + passed);
    }

    /// Forgets everything.
    pub(super) fn reset(&self) {
        let Self { clock, told, gate, gate_told, gate_due, blocks, room_blocks } = self;
        for value in [clock, told, gate, gate_told, gate_due, blocks, room_blocks] {
            value.set(0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What has happened, in full.
    #[derive(Debug, Default)]
    struct Sums {
        bytes: i64,
        blocks: i64,
        clock: u64,
    }

    proptest! {
        #[test]
        fn nothing_is_lost_or_kept_back_and_no_peak_is_missed(
            steps in prop::collection::vec((0..4_u8, 0..40_000_i64), 1..300),
        ) {
            let slack = Slack::default();
            let (mut all, mut told, mut peak) = (Sums::default(), Sums::default(), Sums::default());
            for (kind, size) in steps {
                let is_told = match kind {
                    0 => {
                        (all.bytes, all.blocks) = (all.bytes - size, all.blocks - 1);
                        let (bytes, is_plain) = (size.cast_unsigned(), size % 2 == 0);
                        let is_clear = slack.is_plain_free(bytes);
                        if is_plain && is_clear {
                            slack.free_plainly(bytes);
                            false
                        } else {
                            prop_assert_eq!(slack.free(bytes, 1), !is_clear);
                            !is_clear
                        }
                    }
                    1 => {
                        all.clock += size.cast_unsigned();
                        slack.advance_clock(all.clock);
                        false
                    }
                    _ => {
                        (all.bytes, all.blocks) = (all.bytes + size, all.blocks + 1);
                        all.clock += size.cast_unsigned();
                        let (bytes, is_plain) = (size.cast_unsigned(), size % 2 == 0);
                        let is_asked = !slack.is_plain_allocation(bytes);
                        if is_plain && !is_asked {
                            slack.allocate_plainly(bytes);
                        } else {
                            prop_assert_eq!(slack.allocate(bytes, 1), is_asked);
                        }
                        let is_peak = all.bytes > peak.bytes || all.blocks > peak.blocks;
                        prop_assert!(is_asked || !is_peak);
                        peak.bytes = peak.bytes.max(all.bytes);
                        peak.blocks = peak.blocks.max(all.blocks);
                        is_asked && slack.is_due()
                    }
                };
                prop_assert_eq!(slack.clock(), all.clock);
                prop_assert_eq!(told.bytes + slack.bytes(), all.bytes);
                prop_assert_eq!(told.blocks + slack.blocks(), all.blocks);
                if is_told {
                    let news = slack.take();
                    told.bytes += news.bytes;
                    told.blocks += news.blocks;
                    told.clock += news.ticked;
                    prop_assert_eq!(told.clock, all.clock);
                    slack.set_clock(all.clock);
                }
                slack.set_room(peak.bytes - told.bytes, peak.blocks - told.blocks);
                prop_assert!(slack.bytes().abs() <= SLACK_BYTES + 40_000);
                prop_assert!(slack.blocks().abs() <= SLACK_BLOCKS);
            }
        }
    }
}
