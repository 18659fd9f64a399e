//! Stacks that the cache does not keep: the ends of those that were cut off, and those that only
//! the slow path understands.

use super::names::{End, Frame, StackNames};
use super::rule::{Kind, Rule};
use super::slow;
use super::step::State;
use super::store::{DEPTH_MAX, Store};
use super::table::View;
use core::slice;

/// The stack that stands for the callers nobody knows of.
pub(super) fn root_of<N: StackNames + Copy>(names: N, end: End) -> Option<u32> {
    if end == End::Root {
        return Some(0);
    }
    let ending = Some(names.ending(end)).filter(|frame| *frame != 0)?;
    Some(names.child(0, ending)).filter(|node| *node != 0)
}

/// The number of the stack that is `root` and then `frames`, outermost first; 0 if one of them has
/// none.
pub(super) fn number_of<N: StackNames + Copy>(
    names: N,
    root: u32,
    frames: impl Iterator<Item = u32>,
) -> u32 {
    let child = |parent, frame| match frame {
        0 => None,
        frame => Some(names.child(parent, frame)).filter(|node| *node != 0),
    };
    { frames }.try_fold(root, child).unwrap_or(0)
}

/// The number of a stack that has a frame which only the slow path understands, or whose rules were
/// forgotten again and again. Its callers may depend on more registers than an entry has, so
/// nothing of it is kept.
#[cold]
#[inline(never)]
pub(super) fn unwind_slowly<N: StackNames + Copy>(
    store: Store,
    view: View<'_>,
    names: N,
    start: State,
) -> u32 {
    // SAFETY: the room for frames found is ours, and a frame is smaller and any word.
    let frames = unsafe { slice::from_raw_parts_mut(store.found().cast::<Frame>(), DEPTH_MAX) };
    let walk = slow::walk(start, frames);
    let Some(root) = root_of(names, walk.end) else { return 0 };
    let numbers = frames.iter().take(walk.len).rev();
    number_of(names, root, numbers.map(|frame| rule_of(view, names, *frame).number()))
}

/// The rule of a frame, with a number unless there is no room for one.
#[inline(always)]
pub(super) fn rule_of<N: StackNames + Copy>(view: View<'_>, names: N, frame: Frame) -> Rule {
    match view.find(frame) {
        Some(rule) if rule.is_common() && rule.number() != 0 => rule,
        _ => rule_learnt(view, names, frame),
    }
}

/// The same of frames that are rare, or seen for the first time.
#[inline(never)]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
fn rule_learnt<N: StackNames + Copy>(view: View<'_>, names: N, frame: Frame) -> Rule {
    match view.find(frame) {
        Some(rule) if rule.number() != 0 && rule.kind() != Kind::NoInfo => rule,
        _ => view.learn(frame, &|frame| names.frame(frame.pc(), frame.is_exact())),
    }
}
