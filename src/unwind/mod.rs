//! Floor 2: from "here" to the return addresses of all callers.
//!
//! The walk is the platform unwinder's, over the call frame information that every module carries,
//! so binaries need neither frame pointers nor a rebuild. It takes no loader lock (glibc's
//! `_dl_find_object`) and allocates nothing. Code without frame information ends the walk.

use core::ffi::c_void;

/// What a walk found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Walk {
    /// Frames written, innermost first.
    pub(crate) len: usize,
    /// There were more than the buffer holds.
    pub(crate) truncated: bool,
}

/// Writes the return addresses of the callers, innermost first. The first few are Heapsight's own.
pub(crate) fn capture(frames: &mut [usize]) -> Walk {
    let mut walk = Walk { len: 0, truncated: false };
    let mut record = |frame: &backtrace::Frame| {
        let address = frame.ip().cast::<c_void>() as usize;
        if address == 0 {
            return false;
        }
        let Some(slot) = frames.get_mut(walk.len) else {
            walk.truncated = true;
            return false;
        };
        *slot = address;
        walk.len += 1;
        true
    };
    // SAFETY: "unsynchronized" concerns the symbol caches of that crate, which a walk leaves alone.
    unsafe { backtrace::trace_unsynchronized(&mut record) };
    walk
}

/// Where a walk starts: the stack pointer at the entry of a function, where it points at the return
/// address, and the frame pointer then.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Registers {
    pub(crate) sp: usize,
    pub(crate) fp: usize,
}

impl Registers {
    /// For requests that nobody asks the stack of.
    pub(crate) const NOWHERE: Self = Self { sp: 0, fp: 0 };
}

/// Why a walk ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Root,
    NoInfo,
    Truncated,
    Damaged,
    Unsupported,
}

/// Numbers of frames and stacks belong to whoever keeps them.
pub(crate) trait StackNames {
    fn frame(&self, pc: usize, exact: bool) -> u32;
    fn ending(&self, end: End) -> u32;
    fn child(&self, parent: u32, frame: u32) -> u32;
}

#[derive(Debug)]
pub(crate) struct Rules;

impl Rules {
    pub(crate) const fn new() -> Self {
        Self
    }

    pub(crate) fn invalidate(&self) {}
}

#[derive(Debug)]
pub(crate) struct StackCache;

impl StackCache {
    pub(crate) fn capture<N: StackNames>(
        &self,
        _rules: &Rules,
        names: &N,
        _start: Registers,
    ) -> Option<u32> {
        let mut frames = [0; 512];
        let walk = capture(&mut frames);
        let mut node = 0;
        if walk.truncated {
            node = names.child(node, names.ending(End::Truncated));
        }
        for pc in frames[..walk.len].iter().rev() {
            node = names.child(node, names.frame(*pc, false));
        }
        Some(node)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[inline(never)]
    fn nested(depth: usize, frames: &mut [usize]) -> Walk {
        if depth == 0 { capture(frames) } else { core::hint::black_box(nested(depth - 1, frames)) }
    }

    #[test]
    fn deeper_calls_have_more_frames_and_the_same_root() {
        let (mut shallow, mut deep) = ([0; 512], [0; 512]);
        let (a, b) = (nested(1, &mut shallow), nested(6, &mut deep));
        assert_eq!(a.len + 5, b.len);
        assert_eq!(shallow[a.len - 1], deep[b.len - 1]);
    }

    #[test]
    fn a_full_buffer_says_so() {
        let mut frames = [0; 4];
        assert_eq!(nested(8, &mut frames), Walk { len: 4, truncated: true });
    }
}
