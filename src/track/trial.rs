//! Call stacks for tests and measurements: rules, names and caches of their own, and as many as
//! wanted. Not an interface for others.

use super::ledger::{Ledger, Pages};
use super::stacks::{ROOT, Stacks, Tree};
use crate::base::sync::Ordering;
use crate::format::layout;
use crate::unwind::{self, End, Registers, Rules, StackCache, State};

/// Rules of unwinding and names of stacks.
#[derive(Debug)]
pub struct Trial {
    rules: Rules,
    ledger: Ledger,
    stacks: Stacks,
}

/// The stack cache of one thread.
#[derive(Debug)]
pub struct Cache(StackCache);

/// The registers of a caller: the stack pointer, which points at the return address, and the frame
/// pointer, at the entry of the function it called.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The stack pointer.
    pub sp: usize,
    /// The frame pointer.
    pub fp: usize,
}

/// A program counter on a stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    /// The address, or how the walk ended.
    pub pc: u64,
    /// Whether a signal interrupted the function there.
    pub exact: bool,
    /// Whether this is no frame, but says how the walk ended.
    pub ending: bool,
}

impl Cache {
    /// An empty cache.
    pub const fn new() -> Self {
        Self(StackCache::new())
    }
}

impl Default for Cache {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Cache {
    fn drop(&mut self) {
        // SAFETY: nobody has a reference to it.
        unsafe { self.0.release() };
    }
}

impl Trial {
    /// With `len` bytes of address space for the names; `None` if there is none.
    pub fn new(len: usize) -> Option<Self> {
        let pages = Pages::private(len)?;
        let ledger = Ledger::new();
        ledger.open(pages);
        Some(Self { rules: Rules::new(), ledger, stacks: Stacks::new() })
    }

    fn tree(&self) -> Tree<'_> {
        Tree { ledger: &self.ledger, stacks: &self.stacks }
    }

    /// The number of the caller's stack; 0 if it could not be stored. `None`: the cache is in use.
    #[inline]
    pub fn capture(&self, cache: &Cache, caller: Caller) -> Option<u32> {
        let Caller { sp, fp } = caller;
        cache.0.capture(&self.rules, self.tree(), Registers { sp, fp })
    }

    /// The number of the calling function's stack, where it is.
    #[inline(always)]
    pub fn capture_here(&self, cache: &Cache) -> Option<u32> {
        cache.0.capture_from(&self.rules, self.tree(), State::here())
    }

    /// The frames of a stack, innermost first; how many.
    pub fn path(&self, mut node: u32, places: &mut [Place]) -> usize {
        let mut len = 0;
        while node != ROOT
            && let Some(record) = self.ledger.nodes.get(node)
            && let Some(frame) = self.ledger.frames.get(record.frame.load(Ordering::Relaxed))
            && let Some(place) = places.get_mut(len)
        {
            let flags = frame.flags.load(Ordering::Relaxed);
            let exact = flags & layout::Frame::EXACT != 0;
            let ending = flags & layout::Frame::ENDING != 0;
            *place = Place { pc: frame.address.load(Ordering::Relaxed), exact, ending };
            len += 1;
            node = record.parent.load(Ordering::Relaxed);
        }
        len
    }

    /// The frames of the caller's stack, innermost first, from a walk without a cache; how many,
    /// and whether the last is the root.
    pub fn walk(&self, caller: Caller, places: &mut [Place]) -> (usize, bool) {
        const DEPTH_MAX: usize = 1024;
        let mut frames = [unwind::Frame::NONE; DEPTH_MAX];
        let Caller { sp, fp } = caller;
        let Some(start) = State::of_caller(Registers { sp, fp }) else { return (0, false) };
        let walk = unwind::walk(&self.rules, start, &mut frames);
        for (frame, place) in frames.iter().take(walk.len).zip(&mut *places) {
            *place = Place { pc: frame.pc() as u64, exact: frame.is_exact(), ending: false };
        }
        (walk.len.min(places.len()), walk.end == End::Root)
    }

    /// Number of distinct stacks.
    pub fn len(&self) -> usize {
        self.ledger.nodes.len() as usize
    }

    /// Whether nothing was captured.
    pub fn is_empty(&self) -> bool {
        self.len() <= 1
    }

    /// The program is about to unload code, or has just done so.
    pub fn code_unloaded(&self) {
        self.rules.invalidate();
        self.stacks.modules.unloaded(&self.ledger);
    }
}
