//! The platform's own routines: what `simd=off` uses, and what is used where ours win nothing.
//!
//! They come as addresses, because the object that interposes `memcpy` over a whole program must
//! not name it: it would name itself.

use super::limits::Limits;
use core::ffi::{c_int, c_void};
use core::mem;
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
    copy: AtomicPtr<()>,
    set: AtomicPtr<()>,
    compare: AtomicPtr<()>,
    find: AtomicPtr<()>,
    find_last: AtomicPtr<()>,
    length: AtomicPtr<()>,
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
    #[cfg_attr(not(test), allow(dead_code, reason = "the interposing object begins with it"))]
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
    #[cfg_attr(not(test), allow(dead_code, reason = "the interposing object finds them late"))]
    pub(crate) fn set(&self, functions: Functions) {
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

/// Each in the form of our own.
macro_rules! forward {
    ($($name:ident($($argument:ident: $type:ty),*) -> $out:ty
        = $field:ident as $function:ty, $call:expr;)*) => {
        $(
            /// # Safety
            /// As the platform's function, whose address is known.
            pub(super) unsafe extern "C" fn $name($($argument: $type,)* limits: &Limits) -> $out {
                let address = limits.platform.$field.load(Relaxed);
                // SAFETY: known by now, and of this type.
                let function = unsafe { mem::transmute::<*mut (), $function>(address) };
                let call: fn($function, $($type),*) -> $out = $call;
                call(function, $($argument),*)
            }
        )*
    };
}

forward! {
    copy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 = copy as Copy,
        // SAFETY: the caller's.
        |function, to, from, len| unsafe { function(to.cast(), from.cast(), len) }.cast();
    set(to: *mut u8, pattern: u64, len: usize) -> *mut u8 = set as Set,
        // SAFETY: the caller's.
        |function, to, pattern, len| unsafe {
            function(to.cast(), i32::from(pattern as u8), len)
        }.cast();
    compare(a: *const u8, b: *const u8, len: usize) -> c_int = compare as Compare,
        // SAFETY: the caller's.
        |function, a, b, len| unsafe { function(a.cast(), b.cast(), len) };
    find(from: *const u8, byte: u8, len: usize) -> *const u8 = find as Find,
        // SAFETY: the caller's.
        |function, from, byte, len| unsafe {
            function(from.cast(), i32::from(byte), len)
        }.cast_const().cast();
    find_last(from: *const u8, byte: u8, len: usize) -> *const u8 = find_last as Find,
        // SAFETY: the caller's.
        |function, from, byte, len| unsafe {
            function(from.cast(), i32::from(byte), len)
        }.cast_const().cast();
    length(from: *const u8) -> usize = length as Length,
        // SAFETY: the caller's.
        |function, from| unsafe { function(from.cast()) };
}
