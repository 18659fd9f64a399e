//! How a thread gets a heap and leaves it.
//!
//! A thread gets its heap at its first allocation. It leaves it in a destructor of a
//! thread-specific key, which glibc runs in up to four rounds after all `thread_local`
//! destructors; ours waits for the last round, because other keys' destructors still allocate and
//! free. What comes even later, in libc's own farewell, is served by the late heap.

use super::{ENGINE, tls};
use crate::base::stack;
use crate::heap::local::LocalHeap;
use core::ffi::c_void;
use core::num::NonZeroUsize;
use core::ptr;
use once_cell::race::OnceNonZeroUsize;

/// The key, once it exists. Set without a lock or an allocation: we are inside `malloc`.
static KEY: OnceNonZeroUsize = OnceNonZeroUsize::new();

/// Rounds of destructors that POSIX guarantees, less the one we want to be last in.
const ROUNDS_TO_WAIT: u8 = 3;

/// Gives the calling thread a heap. `None`: out of memory.
#[cold]
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub(super) fn attach() -> Option<&'static LocalHeap> {
    let heap = ENGINE.attach()?;
    // First the word: `pthread_setspecific` may allocate.
    tls::set(heap);
    if let Some(key) = key() {
        arm(key, heap);
    }
    Some(heap)
}

fn arm(key: libc::pthread_key_t, heap: &LocalHeap) {
    // SAFETY: the key is ours. Failing means no memory for a second-level block: the heap then
    // stays with its thread's id and is lost when it ends, which costs memory, not safety.
    unsafe { libc::pthread_setspecific(key, ptr::from_ref(heap).cast()) };
}

fn key() -> Option<libc::pthread_key_t> {
    if let Some(known) = KEY.get() {
        return Some(from_stored(known));
    }
    let mut key = 0;
    // SAFETY: the key is written before it is used, and `leave` fits what is stored under it.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(leave)) } != 0 {
        return None;
    }
    if KEY.set(NonZeroUsize::MIN.saturating_add(key as usize)).is_err() {
        // SAFETY: another thread was faster, and nobody has seen our key.
        unsafe { libc::pthread_key_delete(key) };
    }
    KEY.get().map(from_stored)
}

/// Keys start at zero; stored is the key plus one.
fn from_stored(stored: NonZeroUsize) -> libc::pthread_key_t {
    (stored.get() - 1) as libc::pthread_key_t
}

/// The key's destructor.
unsafe extern "C" fn leave(heap: *mut c_void) {
    // SAFETY: `arm` stored a heap of this thread, and heaps live for ever.
    let heap = unsafe { &*heap.cast::<LocalHeap>() };
    if heap.next_exit_round() < ROUNDS_TO_WAIT
        && let Some(key) = key()
    {
        arm(key, heap);
        return;
    }
    tls::set_ended();
    let is_tracked = heap.is_tracked();
    ENGINE.detach(heap);
    if is_tracked {
        // The next thread may get this one's stack, and its blocks.
        stack::clear::<{ stack::THREAD }>();
    }
}
