//! A walk that remembers nothing but rules: for signal handlers, tests, and as the last resort.

use super::bounds::Bounds;
use super::names::{End, Frame, Walk};
use super::rule::Kind;
use super::slow;
use super::step::{State, step};
use super::table::{Rules, View};

/// Writes the frames from `start` outwards, innermost first. May be called in a signal handler.
pub(crate) fn walk(rules: &Rules, start: State, frames: &mut [Frame]) -> Walk {
    let view = rules.view();
    let walk = walk_common(&view, start, frames);
    if walk.end == End::Unsupported { slow::walk(start, frames) } else { walk }
}

fn walk_common(view: &View<'_>, start: State, frames: &mut [Frame]) -> Walk {
    let mut bounds = Bounds::EMPTY;
    bounds.enter(start.sp);
    let mut state = start;
    let mut len = 0;
    loop {
        let Some(slot) = frames.get_mut(len) else { return Walk { len, end: End::Truncated } };
        *slot = state.frame;
        len += 1;
        let rule = match view.find(state.frame) {
            Some(rule) if rule.kind() != Kind::NoInfo => rule,
            _ => view.learn(state.frame, &|_| 0),
        };
        match step(rule, state, &mut bounds) {
            Ok(caller) => state = caller,
            Err(end) => return Walk { len, end },
        }
    }
}

/// Frames looked at in search of an address.
const SEARCHED: usize = 4096;

/// In which frame of a stack `address` lies, seen from `start`, which is further inwards. `None`:
/// in none that can be told.
pub(crate) fn frame_around(rules: &Rules, start: State, address: usize) -> Option<Frame> {
    let view = rules.view();
    let mut bounds = Bounds::EMPTY;
    bounds.enter(start.sp);
    let mut state = start;
    for _ in 0..SEARCHED {
        let rule = match view.find(state.frame) {
            Some(rule) if rule.kind() != Kind::NoInfo => rule,
            _ => view.learn(state.frame, &|_| 0),
        };
        let caller = step(rule, state, &mut bounds).ok()?;
        if (state.sp..caller.sp).contains(&address) {
            return Some(state.frame);
        }
        state = caller;
    }
    None
}
