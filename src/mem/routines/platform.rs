//! The platform's own routines: what `simd=off` uses, and what is used where ours win nothing.
//!
//! They are called as ours are, with one argument more, which they do not look at: the calling
//! conventions of both architectures leave an argument in its register. So a call goes straight
//! there.
//!
//! They come as addresses, because the object that interposes `memcpy` over a whole program must
//! not name it: it would name itself.

use core::ffi::{c_int, c_void};
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

/// `memcpy`, `memmove`.
pub(crate) type Copy = unsafe extern "C" fn(*mut c_void, *const c_void, usize) -> *mut c_void;
/// `memset`.
pub(crate) type Set = unsafe extern "C" fn(*mut c_void, c_int, usize) -> *mut c_void;
/// `memcmp`.
pub(crate) type Compare = unsafe extern "C" fn(*const c_void, *const c_void, usize) -> c_int;
/// `memchr`, `memrchr`.
pub(crate) type Find = unsafe extern "C" fn(*const c_void, c_int, usize) -> *mut c_void;
/// `strlen`.
pub(crate) type Length = unsafe extern "C" fn(*const core::ffi::c_char) -> usize;

/// Addresses of the platform's functions, or null while they are not known.
#[derive(Debug)]
pub(crate) struct Platform {
    pub(super) copy: AtomicPtr<()>,
    pub(super) set: AtomicPtr<()>,
    pub(super) compare: AtomicPtr<()>,
    pub(super) find: AtomicPtr<()>,
    pub(super) find_last: AtomicPtr<()>,
    pub(super) length: AtomicPtr<()>,
}

/// The functions, by name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Functions {
    /// `memmove`.
    pub(crate) copy: Copy,
    pub(crate) set: Set,
    pub(crate) compare: Compare,
    pub(crate) find: Find,
    pub(crate) find_last: Find,
    pub(crate) length: Length,
}

impl Platform {
    /// Not known.
    #[allow(dead_code, reason = "the interposing object begins with it")]
    pub(crate) const fn unknown() -> Self {
        Self {
            copy: AtomicPtr::new(ptr::null_mut()),
            set: AtomicPtr::new(ptr::null_mut()),
            compare: AtomicPtr::new(ptr::null_mut()),
            find: AtomicPtr::new(ptr::null_mut()),
            find_last: AtomicPtr::new(ptr::null_mut()),
            length: AtomicPtr::new(ptr::null_mut()),
        }
    }

    pub(crate) const fn new(functions: Functions) -> Self {
        Self {
            copy: AtomicPtr::new(functions.copy as *const () as *mut ()),
            set: AtomicPtr::new(functions.set as *const () as *mut ()),
            compare: AtomicPtr::new(functions.compare as *const () as *mut ()),
            find: AtomicPtr::new(functions.find as *const () as *mut ()),
            find_last: AtomicPtr::new(functions.find_last as *const () as *mut ()),
            length: AtomicPtr::new(functions.length as *const () as *mut ()),
        }
    }

    /// From now on they are known.
    #[allow(dead_code, reason = "the interposing object finds them late")]
    pub(crate) fn set(&self, functions: &Functions) {
        self.copy.store(functions.copy as *mut (), Relaxed);
        self.set.store(functions.set as *mut (), Relaxed);
        self.compare.store(functions.compare as *mut (), Relaxed);
        self.find.store(functions.find as *mut (), Relaxed);
        self.find_last.store(functions.find_last as *mut (), Relaxed);
        self.length.store(functions.length as *mut (), Relaxed);
    }

    pub(super) fn is_known(&self) -> bool {
        [&self.copy, &self.set, &self.compare, &self.find, &self.find_last, &self.length]
            .iter()
            .all(|function| !function.load(Relaxed).is_null())
    }
}
