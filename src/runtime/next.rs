//! The allocator behind this one: what the program would use without Heapsight.
//!
//! Needed in two cases. Another allocator's block is given to our `free` (a library was loaded with
//! its own scope and got libc's `malloc`): it goes where it came from. And *passive mode*: the
//! program brings its own `malloc`, or a sanitizer's, which beats a preloaded one; then what still
//! reaches us is handed on, as if we were not there.
//!
//! The C library fills the table at start. In a Rust program with Heapsight as its global allocator
//! there is nothing behind, and the table stays empty.

use crate::base::sync::{AtomicBool, AtomicPtr, Ordering};
use core::ffi::c_void;
use core::mem;
use core::ptr;

type Allocate = unsafe extern "C" fn(usize) -> *mut c_void;
type AllocateTwo = unsafe extern "C" fn(usize, usize) -> *mut c_void;
type Resize = unsafe extern "C" fn(*mut c_void, usize) -> *mut c_void;
type Release = unsafe extern "C" fn(*mut c_void);
type Measure = unsafe extern "C" fn(*mut c_void) -> usize;

/// The functions, as libc names and documents them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Next {
    pub(crate) malloc: Allocate,
    pub(crate) calloc: AllocateTwo,
    pub(crate) realloc: Resize,
    pub(crate) free: Release,
    pub(crate) memalign: AllocateTwo,
    pub(crate) malloc_usable_size: Measure,
}

const NAMES: [&core::ffi::CStr; 6] =
    [c"malloc", c"calloc", c"realloc", c"free", c"memalign", c"malloc_usable_size"];

static TABLE: [AtomicPtr<c_void>; NAMES.len()] =
    [const { AtomicPtr::new(ptr::null_mut()) }; NAMES.len()];
static IS_COMPLETE: AtomicBool = AtomicBool::new(false);
static IS_PASSIVE: AtomicBool = AtomicBool::new(false);

/// Looks the functions up behind the calling object. Call once, from a constructor, with no lock
/// held: the lookup may allocate.
pub(crate) fn resolve() {
    let mut complete = true;
    for (slot, name) in TABLE.iter().zip(NAMES) {
        // SAFETY: the name is a C string; RTLD_NEXT is relative to the object this code is in.
        let function = unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) };
        complete &= !function.is_null();
        slot.store(function, Ordering::Relaxed);
    }
    IS_COMPLETE.store(complete, Ordering::Release);
}

/// The allocator behind, once [`resolve`] found one.
pub(crate) fn allocator() -> Option<Next> {
    if !IS_COMPLETE.load(Ordering::Acquire) {
        return None;
    }
    let [malloc, calloc, realloc, free, memalign, malloc_usable_size] =
        TABLE.each_ref().map(|slot| slot.load(Ordering::Relaxed));
    // SAFETY: none is null, and each is libc's function of the name whose type it gets.
    unsafe {
        Some(Next {
            malloc: mem::transmute::<*mut c_void, Allocate>(malloc),
            calloc: mem::transmute::<*mut c_void, AllocateTwo>(calloc),
            realloc: mem::transmute::<*mut c_void, Resize>(realloc),
            free: mem::transmute::<*mut c_void, Release>(free),
            memalign: mem::transmute::<*mut c_void, AllocateTwo>(memalign),
            malloc_usable_size: mem::transmute::<*mut c_void, Measure>(malloc_usable_size),
        })
    }
}

/// From here on, threads that have no heap get none: their requests go to the allocator behind.
pub(crate) fn become_passive() {
    IS_PASSIVE.store(true, Ordering::Release);
}

/// The allocator behind, in passive mode.
pub(crate) fn if_passive() -> Option<Next> {
    if IS_PASSIVE.load(Ordering::Relaxed) { allocator() } else { None }
}
