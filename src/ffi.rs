//! What the C library package needs of the engine: not an interface for others.

pub use crate::capi::cxx::{delete, delete_sized, new, new_aligned};
pub use crate::capi::memory::{
    aligned_alloc, calloc, free, free_aligned_sized, free_sized, free_with_size, good_size, malloc,
    memalign, posix_memalign, pvalloc, realloc, realloc_with_size, reallocarray, reallocf,
    usable_size, valloc,
};
pub use crate::capi::summary::{Summary, summary};
pub use crate::runtime::safety::fault::sigaction;
pub use crate::runtime::start::{Environment, start, start_passive};

/// LeakSanitizer's interface; leak checks begin here.
pub mod lsan {
    use crate::runtime::lsan;
    pub use crate::runtime::lsan::{disable, enable, ignore_object};
    use crate::runtime::park::Caller;

    pub fn do_leak_check() {
        lsan::do_leak_check(&Caller::here());
    }

    pub fn do_recoverable_leak_check() -> bool {
        lsan::do_recoverable_leak_check(&Caller::here())
    }
}

/// Chooses the memory routines anew, as the first call does: for measurements.
pub fn choose_memory_routines() {
    crate::runtime::simd::routines().choose(None);
}

/// How many of the words lie in `low..end`, as a search for leaks finds out: for measurements.
pub fn count_pointers(words: &[usize], low: usize, end: usize) -> usize {
    use crate::mem::scan::{Batch, Range, Scanner};
    let scanner = Scanner::up_to(crate::runtime::simd::routines().tier());
    let (range, mut batch, mut count) = (Range::between(low, end), Batch::new(), 0);
    let span = words.as_ptr_range();
    let (mut at, to) = (span.start.expose_provenance(), span.end.addr());
    while at < to {
        // SAFETY: a slice of words, the rest of it.
        at = unsafe { scanner.scan(at, to, range, &mut batch) };
        count += batch.hits().len();
    }
    count
}

/// Call stacks, for tests and measurements.
pub mod unwind {
    pub use crate::track::trial::{Cache, Caller, Place, Trial};
}

use crate::os::process;
use crate::runtime::regions::REGIONS;
use crate::runtime::{entry, safety};
use core::alloc::{GlobalAlloc, Layout};
use core::ffi::c_void;

/// Gives unused memory back to the system; whether there was any.
pub fn trim() -> bool {
    entry::trim()
}

/// Whether `address` lies in memory of this engine.
pub fn is_ours(address: *const c_void) -> bool {
    entry::is_ours(address.cast())
}

/// The program has C++ operators of its own: which function made a block does not show.
pub fn hide_families() {
    safety::hide_families();
}

/// Gives the addresses held in reserve back: a limit of `limit` bytes is about to count them.
pub fn give_up_headroom(limit: usize) {
    entry::give_up_headroom(limit);
}

/// Code is about to be unloaded, or has just been.
#[cfg_attr(target_os = "linux", unsafe(link_section = ".text.heapsight"))]
pub fn code_unloading() {
    entry::code_unloading();
}

/// Writes to stderr, by system call: past stdio's buffers, and not a cancellation point.
pub fn say(text: &str) {
    process::write(2, text.as_bytes());
}

/// Makes memory a root of leak checks. `false`: no memory left to remember it.
pub fn register_root_region(start: *const c_void, len: usize) -> bool {
    REGIONS.register(start as usize, len)
}

/// Undoes one such call. `false`: there was none.
pub fn unregister_root_region(start: *const c_void, len: usize) -> bool {
    REGIONS.unregister(start as usize, len)
}

/// Says one last line and aborts.
pub fn fatal(reason: &str) -> ! {
    process::write(2, b"heapsight: ");
    process::write(2, reason.as_bytes());
    process::write(2, b"\n");
    process::abort()
}

/// The heap that is never observed, as a global allocator: for the C library's own needs.
#[derive(Clone, Copy, Debug)]
pub struct PrivateHeap;

// SAFETY: the engine's blocks are disjoint, aligned as asked, and live until freed.
unsafe impl GlobalAlloc for PrivateHeap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        entry::allocate_private(layout.size(), layout.align(), false)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        entry::allocate_private(layout.size(), layout.align(), true)
    }

    unsafe fn dealloc(&self, address: *mut u8, _: Layout) {
        free(address.cast());
    }
}
