//! Stacks with a frame that two registers cannot unwind: the platform's unwinder, with all of them.
//!
//! It starts at this very function, whose callees have saved what the frames above it need, and is
//! listened to from where the walk was to start.

use super::names::{End, Frame, Walk};
use super::step::State;
use super::rule::Kind;
use super::table::View;

/// As [`super::walk`].
#[cold]
#[inline(never)]
pub(super) fn walk(view: &View<'_>, start: State, frames: &mut [Frame]) -> Walk {
    let mut walk = Walk { len: 0, end: End::Root };
    let mut last = Kind::Root;
    let mut record = |raw: &backtrace::Frame| {
        let (pc, sp) = (raw.ip() as usize, raw.sp() as usize);
        // Frames of our own are further down the same stack.
        if walk.len == 0 && sp < start.sp {
            return true;
        }
        if walk.len == 0 && sp != start.sp {
            walk.end = End::Unsupported;
            return false;
        }
        if pc == 0 {
            return false;
        }
        let frame = match (walk.len, last) {
            (0, _) => start.frame,
            (_, Kind::Signal) => Frame::interrupted_at(pc),
            _ => Frame::returned_to(pc),
        };
        let Some(slot) = frames.get_mut(walk.len) else {
            walk.end = End::Truncated;
            return false;
        };
        *slot = frame;
        walk.len += 1;
        last = view.find(frame).unwrap_or_else(|| view.learn(frame, &|_| 0)).kind();
        walk.end = if last == Kind::NoInfo { End::NoInfo } else { End::Root };
        true
    };
    // SAFETY: "unsynchronized" concerns the symbol caches of that crate, which a walk leaves alone.
    unsafe { backtrace::trace_unsynchronized(&mut record) };
    walk
}
