//! What happens when the program frees or resizes what it must not.
//!
//! With `safety=off` the call does nothing. Else it is reported ([`super::safety`]), and the
//! process ends, unless `safety_action` says otherwise: then the call does nothing, too.

use super::ENGINE;
use super::safety::{self, Finding};
use crate::base::sync::{AtomicBool, Ordering};
use crate::heap::locate::Misuse;

/// Which call was given the wrong pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Free,
    Realloc,
}

static IS_FATAL: AtomicBool = AtomicBool::new(true);

/// Chooses between `safety=off` and all others.
pub(super) fn set_fatal(fatal: bool) {
    IS_FATAL.store(fatal, Ordering::Relaxed);
}

/// Whether misuse is reported.
pub(super) fn is_told() -> bool {
    IS_FATAL.load(Ordering::Relaxed)
}

/// Reports a free block that somebody has written to, if one was found: the list that it was on is
/// given up.
#[inline(always)]
pub(crate) fn tell_damage() {
    if let Some(block) = ENGINE.take_damaged() {
        report_free_list(block);
    }
}

#[cold]
#[inline(never)]
fn report_free_list(block: *mut u8) {
    if is_told() {
        safety::report::report(&Finding::FreeList { address: block as usize });
    }
}

/// Reports the misuse, or ignores the call.
#[cold]
pub(crate) fn handle(call: Call, misuse: Misuse) {
    if is_told() {
        safety::report::report(&Finding::Bad { call, misuse });
    }
}
