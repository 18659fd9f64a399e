//! What walks find, and the numbers it is known by.

/// A program counter found on the stack. Of a frame that a signal interrupted it is the instruction
/// to be executed next; of any other the one after a call, whose description is that of the
/// address before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Frame(u64);

/// No address of a program has this bit.
const EXACT: u64 = 1 << 63;

impl Frame {
    pub(crate) const NONE: Self = Self(0);

    pub(super) const fn key(self) -> u64 {
        self.0
    }

    /// The frame returned to at `pc`.
    #[inline(always)]
    pub(super) const fn returned_to(pc: usize) -> Self {
        Self(pc as u64)
    }

    /// The frame interrupted at `pc`. A null program counter stays null.
    pub(super) const fn interrupted_at(pc: usize) -> Self {
        Self(if pc == 0 { 0 } else { pc as u64 | EXACT })
    }

    /// The program counter.
    pub(crate) const fn pc(self) -> usize {
        (self.0 & !EXACT) as usize
    }

    /// Whether a signal interrupted the frame.
    pub(crate) const fn is_exact(self) -> bool {
        self.0 & EXACT != 0
    }

    /// An address inside the instruction that is being executed.
    pub(super) const fn inside(self) -> usize {
        if self.is_exact() { self.pc() } else { self.pc().wrapping_sub(1) }
    }
}

/// How a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// At the first function of the thread.
    Root,
    /// In code without unwind information.
    NoInfo,
    /// At the limit of depth: there are more frames.
    Truncated,
    /// The stack contradicts the unwind information.
    Damaged,
    /// At unwind information that is not evaluated.
    Unsupported,
}

/// What a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    /// Frames written, innermost first.
    pub(crate) len: usize,
    pub(crate) end: End,
}

/// The numbers of frames and of stacks, which belong to whoever keeps them.
pub(crate) trait StackNames {
    /// The number of a frame, below 2^28, or 0: it could not be stored. `exact`: a signal
    /// interrupted it at `pc`; otherwise the instruction before `pc` is a call. The answer to the
    /// same question is the same until [`super::Rules`] are invalidated. As numbers keep their
    /// meaning, a frame at an address of a module that has gone has another number afterwards.
    fn frame(&self, pc: usize, exact: bool) -> u32;
    /// The number of the pseudo frame that says how a walk ended, other than at the root.
    fn ending(&self, end: End) -> u32;
    /// The number of the stack that is `frame` called from `parent`, or 0: it could not be stored.
    /// `parent` 0 is the empty stack.
    fn child(&self, parent: u32, frame: u32) -> u32;
    /// The same, if it is found at a glance; otherwise 0.
    fn child_at_hand(&self, parent: u32, frame: u32) -> u32;
}

/// The registers of a caller: at the entry of the function it called, where the stack pointer
/// points at the return address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Registers {
    pub(crate) sp: usize,
    pub(crate) fp: usize,
}

impl Registers {
    /// For requests that nobody asks the stack of.
    pub(crate) const NOWHERE: Self = Self { sp: 0, fp: 0 };

    /// Where the function that was called returns to; zero where that does not show.
    pub(crate) fn returns_to(self) -> usize {
        // Walks that start where they are have no stack pointer.
        let is_known = cfg!(target_arch = "x86_64") && self.sp != 0 && self.sp != usize::MAX;
        if !is_known {
            return 0;
        }
        // SAFETY: at the entry of a function the stack pointer points at the return address, and
        // whoever passes these registers on has not returned.
        unsafe { core::ptr::with_exposed_provenance::<usize>(self.sp).read() }
    }
}
