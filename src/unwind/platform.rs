//! The walk of the platform's unwinder, through the `backtrace` crate.

use super::names::{End, Walk};
use core::ffi::c_void;

/// Writes the return addresses of the callers, innermost first. The first few are Heapsight's own.
pub(super) fn capture(frames: &mut [usize]) -> Walk {
    let mut walk = Walk { len: 0, end: End::Root };
    let mut record = |frame: &backtrace::Frame| {
        let address = frame.ip().cast::<c_void>() as usize;
        if address == 0 {
            return false;
        }
        let Some(slot) = frames.get_mut(walk.len) else {
            walk.end = End::Truncated;
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
