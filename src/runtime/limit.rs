//! The largest allocation there is: what the address space allows, or less where somebody wants to
//! see what a program does when memory runs out.
//!
//! Only cold paths ask: what a thread's heap has ready is smaller than any limit may be.

use crate::base::sync::{AtomicUsize, Ordering};
use crate::base::text::Text;
use crate::heap::local::LocalHeap;
use crate::os::process;
use core::fmt::Write;
use core::sync::atomic::AtomicBool;

/// No object is larger: differences of pointers must fit (C 6.5.6, Rust's `Layout`).
const OBJECT_MAX: usize = isize::MAX as usize;

static LARGEST: AtomicUsize = AtomicUsize::new(OBJECT_MAX);
static IN_LSAN_FORM: AtomicBool = AtomicBool::new(false);

/// Sets the limit; 0 takes it back. Its messages are LeakSanitizer's where that set it.
pub(super) fn set(mebibytes: usize, by_lsan: bool) {
    let bytes = mebibytes.checked_mul(1 << 20).filter(|bytes| (1..OBJECT_MAX).contains(bytes));
    IN_LSAN_FORM.store(by_lsan, Ordering::Relaxed);
    LARGEST.store(bytes.unwrap_or(OBJECT_MAX), Ordering::Relaxed);
}

/// Whether an allocation of `size` bytes must fail; says so if somebody set the limit.
#[inline]
pub(super) fn refuses(heap: &LocalHeap, size: usize) -> bool {
    size > LARGEST.load(Ordering::Relaxed) && refuse(heap, size)
}

/// Heapsight's own needs are the program's memory in a Rust program; they are not limited.
#[cold]
fn refuse(heap: &LocalHeap, size: usize) -> bool {
    if size > OBJECT_MAX {
        return true;
    }
    if !heap.is_observing() {
        say(size);
    }
    !heap.is_observing()
}

fn say(size: usize) {
    let (mut line, limit) = (Text::<160>::new(), LARGEST.load(Ordering::Relaxed) >> 20);
    let _cut = if IN_LSAN_FORM.load(Ordering::Relaxed) {
        let process = process::id();
        writeln!(line, "=={process}==WARNING: LeakSanitizer failed to allocate {size:#x} bytes")
    } else {
        writeln!(
            line,
            "heapsight: an allocation of {size} bytes fails, as max_allocation={limit} asks"
        )
    };
    process::write(2, line.as_bytes());
}
