//! Which modules are loaded, asked so that the answer always comes.
//!
//! The loader tells it under a lock of its own. glibc 2.36 does not make that lock anew in the
//! child of a fork: one that another thread held at that moment stays held, and whoever asks waits
//! for ever. Waiting before each fork until nobody asks would stop the program for our sake, so the
//! child finds out itself what its memory shows, wherever the lock may be held by nobody: then no
//! module can be unloaded meanwhile either, for that needs the same lock.

use super::fork;
use crate::base::sync::{AtomicBool, AtomicU32, Ordering};
use crate::os::tasks;
use crate::report::Modules;

/// Threads that ask the loader at this moment.
static ASKING: AtomicU32 = AtomicU32::new(0);
/// One of them was left behind in the parent: the lock is never given back.
static IS_STUCK: AtomicBool = AtomicBool::new(false);

/// All modules of this process.
pub(super) fn modules() -> Modules {
    if IS_STUCK.load(Ordering::Relaxed) || is_childs_only_thread() {
        return Modules::of_this_copy();
    }
    ASKING.fetch_add(1, Ordering::SeqCst);
    let modules = Modules::of_this_process();
    ASKING.fetch_sub(1, Ordering::SeqCst);
    modules
}

/// The program's own threads may have held the lock too, and may be what the child does not have.
fn is_childs_only_thread() -> bool {
    fork::is_child() && tasks::count() == Some(1)
}

/// In the child of a fork.
pub(super) fn forked() {
    if ASKING.swap(0, Ordering::Relaxed) > 0 {
        IS_STUCK.store(true, Ordering::Relaxed);
    }
}
