//! How a thread gets a heap and leaves it.
//!
//! A thread gets its heap at its first allocation. It leaves it in a destructor of a thread-specific
//! key, which glibc runs in up to four rounds after all `thread_local` destructors; ours waits for
//! the last round, because other keys' destructors still allocate and free. What comes even later,
//! in libc's own farewell, is served by the late heap.

use super::{ENGINE, tls};
use crate::base::sync::{AtomicU32, Ordering};
use crate::heap::local::LocalHeap;
use core::ffi::c_void;
use core::ptr;

/// The key, plus one; zero before it exists.
static KEY: AtomicU32 = AtomicU32::new(0);

/// Rounds of destructors that POSIX guarantees, less the one we want to be last in.
const ROUNDS_TO_WAIT: u8 = 3;

/// Gives the calling thread a heap. `None`: out of memory.
#[cold]
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
    let known = KEY.load(Ordering::Acquire);
    if known != 0 {
        return Some(known - 1);
    }
    let mut key = 0;
    // SAFETY: the key is written before it is used, and `leave` fits what is stored under it.
    if unsafe { libc::pthread_key_create(&raw mut key, Some(leave)) } != 0 {
        return None;
    }
    match KEY.compare_exchange(0, key + 1, Ordering::AcqRel, Ordering::Acquire) {
        Ok(_) => Some(key),
        Err(theirs) => {
            // SAFETY: nobody has seen our key.
            unsafe { libc::pthread_key_delete(key) };
            Some(theirs - 1)
        }
    }
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
    ENGINE.detach(heap);
}
