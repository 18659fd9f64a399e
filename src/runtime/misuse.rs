//! What happens when the program frees or resizes what it must not.
//!
//! With `safety=off` the call does nothing. Else it is reported ([`super::safety`]), and the
//! process ends, unless `safety_action` says otherwise: then the call does nothing, too.

use super::safety::{self, Finding};
use crate::base::sync::{AtomicBool, Ordering};
use crate::base::text::Text;
use crate::heap::locate::Misuse;
use crate::os::process;
use core::fmt::Write;

/// Which call was given the wrong pointer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Call {
    Free,
    Realloc,
}

static IS_FATAL: AtomicBool = AtomicBool::new(true);

const STDERR: i32 = 2;

/// Chooses between `safety=off` and all others.
pub(super) fn set_fatal(fatal: bool) {
    IS_FATAL.store(fatal, Ordering::Relaxed);
}

/// Reports the misuse, or ignores the call.
#[cold]
pub(crate) fn handle(call: Call, misuse: Misuse) {
    if IS_FATAL.load(Ordering::Relaxed) {
        safety::report::report(&Finding::Bad { call, misuse });
    }
}

/// Reports a size that does not match the block. The block is fine, so the program goes on.
#[cold]
pub(crate) fn report_size(address: *mut u8, named: usize, usable: usize) {
    if !IS_FATAL.load(Ordering::Relaxed) {
        return;
    }
    let mut line = Text::<256>::new();
    let _cut = writeln!(
        line,
        "heapsight: size mismatch: c_free or c_realloc of {address:p} names {named} bytes, \
         but the block holds at most {usable}. The call goes on with the block's own size."
    );
    process::write(STDERR, line.as_bytes());
}
