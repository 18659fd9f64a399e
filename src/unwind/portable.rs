//! The same names on machines without a native unwinder: the platform's walk, each time in full.

use super::names::{End, Frame, Registers, StackNames, Walk};
use super::platform;
use crate::os::lock::Lock;

/// Where a walk starts: here, always.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct State;

impl State {
    /// The state of the calling function, here.
    pub(crate) fn here() -> Self {
        Self
    }

    /// The state of a function that a signal has interrupted: of no use here.
    pub(crate) const fn interrupted(_pc: usize, _sp: usize, _fp: usize) -> Self {
        Self
    }

    /// The state of a caller: the frames inwards of it are found, too.
    pub(crate) fn of_caller(caller: Registers) -> Option<Self> {
        (caller != Registers::NOWHERE).then_some(Self)
    }
}

impl Registers {
    /// Stands for the state of the calling function: walks start where they are.
    pub(crate) fn here() -> Self {
        Self { sp: usize::MAX, fp: 0 }
    }
}

/// Nothing is known by program counter.
#[derive(Debug)]
pub(crate) struct Rules(Lock);

impl Rules {
    pub(crate) const fn new() -> Self {
        Self(Lock::new())
    }

    pub(crate) fn invalidate(&self) {}

    pub(crate) fn lock(&self) -> &Lock {
        &self.0
    }
}

/// Nothing is cached.
#[derive(Debug)]
pub(crate) struct StackCache(());

/// There is nothing to share.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limit(());

impl Limit {
    pub(crate) const NONE: Self = Self(());

    pub(crate) const fn number(self) -> u32 {
        0
    }

    pub(crate) const fn from_number(_: u32) -> Self {
        Self(())
    }
}

/// Frames of a stack that are kept.
const DEPTH_MAX: usize = 512;

impl StackCache {
    pub(crate) const fn new() -> Self {
        Self(())
    }

    /// Nothing is mapped for it.
    pub(crate) fn mapping(&self) -> Option<(usize, usize)> {
        None
    }

    /// The number of the stack; 0 if it could not be stored.
    pub(crate) fn capture<N: StackNames + Copy>(
        &self,
        _rules: &Rules,
        names: N,
        caller: Registers,
    ) -> Option<u32> {
        if caller == Registers::NOWHERE {
            return None;
        }
        let mut frames = [0; DEPTH_MAX];
        let walk = platform::capture(&mut frames);
        let root = match walk.end {
            End::Root => 0,
            end => names.child(0, names.ending(end)),
        };
        let node = frames.iter().take(walk.len).rev().try_fold(root, |parent, pc| {
            let number = names.frame(*pc, false);
            Some(names.child(parent, number)).filter(|node| number != 0 && *node != 0)
        });
        Some(node.unwrap_or(0))
    }

    /// No stack is known.
    pub(crate) fn known(&self, _rules: &Rules, _caller: Registers) -> Result<u32, Limit> {
        Err(Limit::NONE)
    }

    /// Nothing is at hand.
    pub(crate) fn advance<N: StackNames + Copy>(
        &self,
        _rules: &Rules,
        _names: N,
        _caller: Registers,
        limit: Limit,
    ) -> Result<u32, Limit> {
        Err(limit)
    }

    /// As [`Self::capture`].
    pub(crate) fn capture_after<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        caller: Registers,
        _limit: Limit,
    ) -> Option<u32> {
        self.capture(rules, names, caller)
    }

    /// As [`Self::capture`].
    pub(crate) fn capture_from<N: StackNames + Copy>(
        &self,
        rules: &Rules,
        names: N,
        _start: State,
    ) -> Option<u32> {
        self.capture(rules, names, Registers::here())
    }

    /// # Safety
    /// None here.
    pub(crate) unsafe fn release(&self) {}
}

/// Writes the frames from here outwards, innermost first.
pub(crate) fn walk(_rules: &Rules, _start: State, frames: &mut [Frame]) -> Walk {
    let mut addresses = [0; DEPTH_MAX];
    let len = frames.len().min(DEPTH_MAX);
    let walk = platform::capture(&mut addresses[..len]);
    for (frame, pc) in frames.iter_mut().zip(&addresses[..walk.len]) {
        *frame = Frame::returned_to(*pc);
    }
    walk
}

/// The platform does not tell where frames lie.
pub(crate) fn frame_around(_rules: &Rules, _start: State, _address: usize) -> Option<Frame> {
    None
}
