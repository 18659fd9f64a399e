//! `strcpy` and its kin: libc's, unless somebody is to be told of what they copy ([`watch`]).
//!
//! They are here for that alone, so libc's serve as soon as they are known: a load, a branch and a
//! jump away. Until then, and while somebody is told, a string is measured and copied.

use super::watch;
use core::ffi::{CStr, c_char, c_void};
use core::mem;
use core::ptr;
use core::sync::atomic::{AtomicPtr, Ordering::Relaxed};

type Whole = unsafe extern "C" fn(*mut c_char, *const c_char) -> *mut c_char;
type Part = unsafe extern "C" fn(*mut c_char, *const c_char, usize) -> *mut c_char;

/// Defines functions, each with libc's behind it, and what is done where that does not serve.
macro_rules! strings {
    ($(
        $name:ident = $libc:ident: $type:ty, ($($argument:ident: $argument_type:ty),*) $own:expr;
    )*) => {
        $(
            static $libc: AtomicPtr<c_void> = AtomicPtr::new(ptr::null_mut());

            /// libc's function of that name.
            ///
            /// # Safety
            /// As libc's.
            #[unsafe(no_mangle)]
            pub(crate) unsafe extern "C" fn $name($($argument: $argument_type),*) -> *mut c_char {
                let libc = $libc.load(Relaxed);
                if !libc.is_null() {
                    // SAFETY: libc's function of that name has this type.
                    let libc = unsafe { mem::transmute::<*mut c_void, $type>(libc) };
                    // SAFETY: the caller's.
                    return unsafe { libc($($argument),*) };
                }
                let name = concat!(stringify!($name), "\0").as_bytes();
                // SAFETY: the caller's.
                unsafe { $own(name, $($argument),*) }
            }
        )*

        /// Has libc's functions serve, as `find` finds them by their names; or no more.
        pub(crate) fn follow(find: impl Fn(&CStr) -> *mut c_void) {
            $(
                let name = concat!(stringify!($name), "\0").as_bytes();
                if let Ok(name) = CStr::from_bytes_with_nul(name) {
                    $libc.store(find(name), Relaxed);
                }
            )*
        }
    };
}

strings! {
    strcpy = STRCPY: Whole, (to: *mut c_char, from: *const c_char)
        |name, to, from| { copy_string(name, to, from); to };
    stpcpy = STPCPY: Whole, (to: *mut c_char, from: *const c_char)
        |name, to: *mut c_char, from| to.wrapping_add(copy_string(name, to, from));
    strcat = STRCAT: Whole, (to: *mut c_char, from: *const c_char)
        |name, to: *mut c_char, from| {
            copy_string(name, to.wrapping_add(watch::length(to, usize::MAX)), from);
            to
        };
    strncpy = STRNCPY: Part, (to: *mut c_char, from: *const c_char, most: usize) copy_part;
    strncat = STRNCAT: Part, (to: *mut c_char, from: *const c_char, most: usize) append_part;
}

/// Copies a string with its zero; its length.
///
/// # Safety
/// As `strcpy`.
unsafe fn copy_string(name: &'static [u8], to: *mut c_char, from: *const c_char) -> usize {
    // SAFETY: the caller's.
    unsafe {
        let len = watch::length(from, usize::MAX);
        watch::tell(name, to.cast(), from.cast(), len + 1, true);
        watch::copy(to.cast(), from.cast(), len + 1);
        len
    }
}

/// # Safety
/// As `strncpy`.
unsafe fn copy_part(
    name: &'static [u8],
    to: *mut c_char,
    from: *const c_char,
    most: usize,
) -> *mut c_char {
    // SAFETY: the caller's.
    unsafe { copy_filled(name, to, from, watch::length(from, most), most) };
    to
}

/// # Safety
/// As `strncat`.
unsafe fn append_part(
    name: &'static [u8],
    to: *mut c_char,
    from: *const c_char,
    most: usize,
) -> *mut c_char {
    // SAFETY: the caller's.
    unsafe {
        let end = to.wrapping_add(watch::length(to, usize::MAX));
        let len = watch::length(from, most);
        copy_filled(name, end, from, len, len + 1);
    }
    to
}

/// Copies `len` bytes, and fills up with zeros to `whole`. What is read and what is written are
/// told of one by one, for they differ in length.
///
/// # Safety
/// `len` bytes may be read, and `whole` written, which are at least as many.
unsafe fn copy_filled(
    name: &'static [u8],
    to: *mut c_char,
    from: *const c_char,
    len: usize,
    whole: usize,
) {
    // SAFETY: the caller's.
    unsafe {
        watch::tell(name, ptr::null_mut(), from.cast(), len, false);
        watch::tell(name, to.cast(), ptr::null(), whole, false);
        watch::copy(to.cast(), from.cast(), len);
        watch::clear(to.wrapping_add(len).cast(), whole - len);
    }
}
