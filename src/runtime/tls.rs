//! The thread's heap: one word of thread-local storage, read in two instructions.
//!
//! `thread_local!` in a shared object compiles to a call of `__tls_get_addr`, which is slow and may
//! itself call `malloc`. The word below is defined in assembly and addressed by the initial-exec
//! model (`@GOTTPOFF`), which stable Rust cannot ask for. Its initial value is the address of
//! [`EMPTY`], so that the fast path needs no test for "no heap yet": that heap's lists are empty.
//!
//! The word is eight bytes: `dlopen` gives late comers little static thread-local storage.

use crate::heap::local::{LocalHeap, State};

/// A heap as a constant, shared by threads because it is never changed: its lists are empty, and
/// whoever finds them so looks at its state.
#[derive(Debug)]
#[repr(transparent)]
pub(super) struct Sentinel(LocalHeap);

// SAFETY: sentinels are read only; every path that would change a heap asks for its state first.
unsafe impl Sync for Sentinel {}

/// What a thread has before its first allocation.
pub(super) static EMPTY: Sentinel = Sentinel(LocalHeap::new(State::Placeholder));
/// What a thread has after its last destructor.
pub(super) static ENDED: Sentinel = Sentinel(LocalHeap::new(State::Ended));

/// Makes `heap` the calling thread's.
pub(super) fn set(heap: &'static LocalHeap) {
    word::store(core::ptr::from_ref(heap).cast());
}

/// The calling thread has ended: what it still allocates comes from the late heap.
pub(super) fn set_ended() {
    set(&ENDED.0);
}

/// The calling thread has no heap any more, and may ask for one again.
pub(super) fn reset() {
    set(&EMPTY.0);
}

/// The calling thread's heap, or a sentinel.
#[inline(always)]
pub(crate) fn heap() -> &'static LocalHeap {
    // SAFETY: the word is initially `EMPTY`, and otherwise what `set` stored: heaps live for ever.
    unsafe { &*word::load().cast() }
}

#[cfg(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(any(miri, loom, heapsight_mock))
))]
mod word {
    use super::EMPTY;
    use core::arch::{asm, global_asm};

    // The name carries the version, so that two versions in one process do not share the word.
    global_asm!(
        ".pushsection .tdata.heapsight,\"awT\",%progbits",
        ".balign 8",
        ".globl heapsight_0_1_heap",
        ".hidden heapsight_0_1_heap",
        ".type heapsight_0_1_heap,%object",
        "heapsight_0_1_heap: .quad {empty}",
        ".size heapsight_0_1_heap, 8",
        ".popsection",
        empty = sym EMPTY,
    );

    #[cfg(target_arch = "x86_64")]
    #[inline(always)]
    pub(super) fn load() -> *const u8 {
        let value: *const u8;
        // SAFETY: reads the word above. Not `pure`: the value changes when the thread gets a heap.
        unsafe {
            asm!("mov {0}, qword ptr [rip + heapsight_0_1_heap@GOTTPOFF]",
                 "mov {0}, qword ptr fs:[{0}]",
                 out(reg) value, options(nostack, readonly, preserves_flags));
        }
        value
    }

    #[cfg(target_arch = "x86_64")]
    pub(super) fn store(value: *const u8) {
        // SAFETY: writes the word above, which is this thread's.
        unsafe {
            asm!("mov {0}, qword ptr [rip + heapsight_0_1_heap@GOTTPOFF]",
                 "mov qword ptr fs:[{0}], {1}",
                 out(reg) _, in(reg) value, options(nostack, preserves_flags));
        }
    }

    #[cfg(target_arch = "aarch64")]
    #[inline(always)]
    pub(super) fn load() -> *const u8 {
        let value: *const u8;
        // SAFETY: reads the word above. Not `pure`: the value changes when the thread gets a heap.
        unsafe {
            asm!("adrp {0}, :gottprel:heapsight_0_1_heap",
                 "ldr {0}, [{0}, :gottprel_lo12:heapsight_0_1_heap]",
                 "mrs {1}, tpidr_el0",
                 "ldr {0}, [{1}, {0}]",
                 out(reg) value, out(reg) _, options(nostack, readonly, preserves_flags));
        }
        value
    }

    #[cfg(target_arch = "aarch64")]
    pub(super) fn store(value: *const u8) {
        // SAFETY: writes the word above, which is this thread's.
        unsafe {
            asm!("adrp {0}, :gottprel:heapsight_0_1_heap",
                 "ldr {0}, [{0}, :gottprel_lo12:heapsight_0_1_heap]",
                 "mrs {1}, tpidr_el0",
                 "str {2}, [{1}, {0}]",
                 out(reg) _, out(reg) _, in(reg) value, options(nostack, preserves_flags));
        }
    }
}

#[cfg(not(all(
    target_os = "linux",
    any(target_arch = "x86_64", target_arch = "aarch64"),
    not(any(miri, loom, heapsight_mock))
)))]
mod word {
    use super::EMPTY;
    use core::cell::Cell;

    std::thread_local! {
        static HEAP: Cell<*const u8> = const { Cell::new((&raw const EMPTY).cast()) };
    }

    pub(super) fn load() -> *const u8 {
        HEAP.get()
    }

    pub(super) fn store(value: *const u8) {
        HEAP.set(value);
    }
}
